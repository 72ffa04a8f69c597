"""A killed migrator leaves the schema at a revision, or with one more index, perhaps invalid.

The next run repairs the index and applies the remaining revisions.
"""

import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from statistics import median

from proofs.harness.database import Database
from proofs.harness.figures import Figure, all_of, at_most, none_of
from proofs.harness.processes import Running
from proofs.harness.testbed import Project, Testbed
from proofs.rehearsal.revisions import ORDERS, TRANSACTIONAL
from proofs.rehearsal.scale import Scale
from proofs.rehearsal.states import INVALID, ROWS, Schemas, boundaries, state_of

AT_ONCE = 2
GONE_SECONDS = 1.0  # Seconds until PostgreSQL has ended the killed migrator's session.


@dataclass(frozen=True, slots=True)
class Round:
    state: str
    allowed: bool
    gone: float
    repaired: bool
    complaint: str


@contextmanager
def started(project: Project, database: Database, *options: str) -> Iterator[Running]:
    """Start `db upgrade` and wait for its first connection: Python's start is not measured."""
    running = project.manage(database, "db", "upgrade", *options)
    while not database.cluster.sessions(database) and not running.ended_at:
        time.sleep(0.005)
    yield running
    running.wait()


def seconds_of(testbed: Testbed, project: Project, options: list[str], _: int) -> float:
    with testbed.clone(ROWS) as database, started(project, database, *options) as running:
        began = time.time()
        running.expect(0)
        return running.ended_at - began


@contextmanager
def old_snapshot(database: Database) -> Iterator[None]:
    """Hold an old snapshot, which a concurrent index build has to wait for."""
    with database.connect(autocommit=False) as connection, connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("SELECT 1")
        yield


def wait_for_the_index(database: Database) -> None:
    sql = """
        SELECT count(*) FROM pg_stat_progress_create_index
        WHERE datname = %s AND phase = 'waiting for old snapshots'
    """
    deadline = time.time() + 60
    while not database.cluster.admin.value(sql, database.name):
        if time.time() > deadline:
            raise AssertionError("The migrator did not come to the concurrent index.")
        time.sleep(0.01)


def kill_once(
    testbed: Testbed, project: Project, schemas: Schemas, options: list[str], seconds: float | None
) -> Round:
    """Kill the migrator after so many seconds; None is in the middle of the concurrent index."""
    with testbed.clone(ROWS) as database:
        with (
            nullcontext() if seconds is not None else old_snapshot(database),
            started(project, database, *options) as running,
        ):
            if seconds is None:
                wait_for_the_index(database)
            else:
                time.sleep(seconds)
            ended = bool(running.ended_at)
            running.process.kill()
            killed = time.time()
            while database.cluster.sessions(database) and time.time() < killed + 20:
                time.sleep(0.01)
            gone = time.time() - killed
        state, allowed = state_of(database, schemas)
        if "--single-transaction" in options:
            ends = {min(schemas): "old", max(schemas): "new"}
            allowed = state == "at a revision" and database.revision() in ends
            state = ends.get(database.revision(), state) if allowed else state
        again = project.manage(database, "db", "upgrade", *options)
        complaint = "" if again.wait() == 0 else again.output
        if not complaint and database.schema() != schemas[project.head]:
            complaint = "The schema is not that of the newest revision."
        leftovers = [*database.invalid_indexes(), *database.open_windows()]
        if leftovers:
            complaint += f" Left: {', '.join(leftovers)}."
    return Round("ended before" if ended else state, allowed, gone, not complaint, complaint)


def moments(testbed: Testbed, project: Project, rounds: int, options: list[str]) -> list[float]:
    """Return random times, one in each of so many equal parts of the migration's duration."""
    alone = partial(seconds_of, testbed, project, options)
    with ThreadPoolExecutor(AT_ONCE) as pool:  # Measured with as many migrators as will be killed.
        seconds = median(pool.map(alone, range(AT_ONCE)))
    chance = random.Random(rounds)
    return [(n + chance.random()) / rounds * seconds for n in range(rounds)]


def kill_often(
    testbed: Testbed,
    project: Project,
    schemas: Schemas,
    at: Sequence[float | None],
    options: list[str],
) -> list[Round]:
    results: list[Round] = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for one in pool.map(partial(kill_once, testbed, project, schemas, options), at):
            results.append(one)
            if not one.allowed or one.complaint:
                print(f"  {one.state}; then: {one.complaint or 'repaired'}", flush=True)
            elif len(results) % 10 == 0:
                print(f"  {len(results)} of {len(at)} killed", flush=True)
    return results


def figures(name: str, rounds: list[Round]) -> list[Figure]:
    states = Counter(one.state for one in rounds)
    told = "; ".join(f"{number} {state}" for state, number in states.most_common())
    return [
        Figure(f"{name}: found", told),
        none_of(f"{name}: in any other state", [one for one in rounds if not one.allowed]),
        all_of(f"{name}: repaired by the next run", sum(r.repaired for r in rounds), len(rounds)),
        at_most(f"{name}: its session gone after", max(r.gone for r in rounds), GONE_SECONDS),
    ]


def prove(testbed: Testbed, scale: Scale) -> list[Figure]:
    project = testbed.variant("killed", ORDERS["A"])
    schemas = boundaries(testbed, project)
    times = moments(testbed, project, scale.kills, [])
    each = kill_often(testbed, project, schemas, times, [])
    index = kill_often(testbed, project, schemas, [None] * scale.index_kills, [])
    invalid = sum(one.state == INVALID for one in index)
    project = testbed.variant("killed_single", TRANSACTIONAL)
    schemas, options = boundaries(testbed, project), ["--single-transaction"]
    times = moments(testbed, project, scale.single_kills, options)
    single = kill_often(testbed, project, schemas, times, options)
    return [
        *figures("at any moment", each),
        *figures("in the concurrent index", index),
        all_of("in the concurrent index: it was left invalid", invalid, len(index)),
        *figures("in a single transaction", single),
    ]

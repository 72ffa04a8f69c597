"""Ten migrations while clients read and write: no row is lost or missed, no failure unexplained."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from proofs.harness.database import Database
from proofs.harness.figures import Figure, middle_and_worst, none_of
from proofs.harness.load import SLOW_BEFORE, SLOW_WITHIN, Load, Mix, load
from proofs.harness.processes import Running
from proofs.harness.testbed import Project, Testbed
from proofs.rehearsal.revisions import ORDERS
from proofs.rehearsal.scale import Scale

CLIENTS, WORKERS, THREADS = 12, 3, 6
AROUND = 1.5  # Seconds of load before and after the migration.
# Some writes are slow, before or within their transaction, so that a migration can begin between
# the check that admits a write and the write itself.
SERVICE = "src/services/todo_service.py"
SLOW_CREATE = f"""
        todo = Todo(**values)
        if todo.title.startswith("{SLOW_BEFORE}"):
            time.sleep(0.8)
        with self._unit_of_work() as work:
            if todo.title.startswith("{SLOW_WITHIN}"):
                time.sleep(0.8)
"""
QUICK_CREATE = """
        todo = Todo(**values)
        with self._unit_of_work() as work:
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    code: int
    revision: str
    answers: Load
    lost: int
    phantoms: int
    missed: int
    output: str
    invalid: list[str]

    def refused_seconds(self) -> float:
        times = [one.received for one in self.answers.writes() if one.status == 503]
        return max(times) - min(times) if times else 0.0

    def bad_reads(self) -> int:
        return sum(one.status != 200 for one in self.answers.reads())


def slow(project: Project) -> Project:
    project.patch(
        SERVICE,
        (QUICK_CREATE, SLOW_CREATE),
        ("from uuid import UUID", "import time\nfrom uuid import UUID"),
    )
    return project


def migrate_under_load(
    serving: Project, database: Database, migrate: Callable[[], Running]
) -> Outcome:
    with (
        serving.serve(database, workers=WORKERS, threads=THREADS) as port,
        load(port, clients=CLIENTS, mix=Mix()) as answers,
    ):
        time.sleep(AROUND)
        migration = migrate()
        code = migration.wait()
        missed = missed_rows(database)
        time.sleep(AROUND)
    if code == 0:  # After a failed migration there may be no trigger that fills later rows.
        missed = missed_rows(database)
    present = {title for (title,) in database.rows("SELECT title FROM todos")}
    return Outcome(
        code=code,
        revision=database.revision(),
        answers=answers,
        lost=len(answers.accepted() - present),
        phantoms=len(answers.refused() & present),
        missed=missed,
        output=migration.output,
        invalid=database.invalid_indexes(),
    )


def missed_rows(database: Database) -> int:
    """Count rows that neither the backfill nor the trigger filled."""
    columns = "SELECT 1 FROM pg_attribute WHERE attname = 'slug' AND attrelid = 'todos'::regclass"
    if not database.value(columns):
        return 0
    return int(
        database.value("SELECT count(*) FROM todos WHERE slug IS DISTINCT FROM lower(title)")
    )


def prove(testbed: Testbed, scale: Scale) -> list[Figure]:
    serving = slow(testbed.variant("slow_serving"))
    outcomes: list[Outcome] = []
    for order in scale.orders:
        migrating = testbed.variant(f"order_{order}", ORDERS[order])
        for n in range(scale.runs):
            with testbed.clone(scale.rows) as database:
                outcome = migrate_under_load(
                    serving, database, partial(migrating.manage, database, "db", "upgrade")
                )
            print(f"  order {order}, run {n + 1}: {describe(outcome)}", flush=True)
            if outcome.code != 0:
                print(outcome.output, flush=True)
            outcomes.append(outcome)
    heads = sum(one.code == 0 and one.revision == migrating.head for one in outcomes)
    return [
        Figure(
            "runs that reached head", f"{heads} of {len(outcomes)}", "all", heads == len(outcomes)
        ),
        none_of("acknowledged writes lost", sum(one.lost for one in outcomes)),
        none_of("refused writes that were made", sum(one.phantoms for one in outcomes)),
        none_of("rows missed by the backfill", sum(one.missed for one in outcomes)),
        none_of(
            "5xx without Retry-After, or no answer",
            sum(len(one.answers.unexplained()) for one in outcomes),
        ),
        none_of("reads other than 200", sum(one.bad_reads() for one in outcomes)),
        middle_and_worst("writes were refused for", [one.refused_seconds() for one in outcomes]),
        middle_and_worst(
            "slowest read", [max(r.seconds for r in one.answers.reads()) for one in outcomes]
        ),
        Figure("requests", str(sum(len(one.answers.answers) for one in outcomes))),
    ]


def describe(outcome: Outcome) -> str:
    answers = outcome.answers
    return (
        f"exit {outcome.code} at {outcome.revision}, {len(answers.answers)} requests, "
        f"{len(answers.accepted())} writes acknowledged, {outcome.lost} lost, "
        f"{outcome.phantoms} phantoms, {outcome.missed} rows missed, "
        f"{len(answers.unexplained())} failures without Retry-After, "
        f"{outcome.bad_reads()} reads refused, writes refused for {outcome.refused_seconds():.2f} s"
    )

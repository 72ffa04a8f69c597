"""A long read blocks an ALTER: measures how long clients wait behind the two."""

import re
import time
from collections.abc import Callable
from functools import partial
from statistics import median

from proofs.harness.database import Database
from proofs.harness.figures import Figure, at_most
from proofs.harness.load import Load, Mix, load
from proofs.harness.processes import Running
from proofs.harness.testbed import Testbed
from proofs.rehearsal.classic import give_flag, upgrade, with_plain_alembic
from proofs.rehearsal.revisions import ADD_COLUMN
from proofs.rehearsal.scale import Scale

READS_FOR = 6.0
ROWS = 1_000
MIX = Mix(slow=0, pause=0.02)


def alter_behind_a_reader(
    testbed: Testbed, database: Database, migrate: Callable[[], Running]
) -> tuple[Load, Running]:
    with (
        testbed.serving.serve(database, workers=2, threads=4) as port,
        database.connect("reader", autocommit=False) as reader,
    ):
        with reader.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM todos")
        with load(port, clients=4, mix=MIX) as answers:
            time.sleep(0.5)
            migration = migrate()
            while not migrator_locks(database) and not migration.ended_at:
                time.sleep(0.01)
            time.sleep(READS_FOR)
            reader.rollback()
            migration.expect(0)
            time.sleep(0.5)
    return answers, migration


def migrator_locks(database: Database) -> int:
    sql = (
        "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)"
        " WHERE datname = %s AND mode = 'AccessExclusiveLock' AND locktype = 'relation'"
    )
    return int(database.cluster.admin.value(sql, database.name))


def worst(answers: Load) -> float:
    return max(one.seconds for one in answers.answers)


def prove(testbed: Testbed, scale: Scale) -> list[Figure]:
    migrating = testbed.variant("behind_a_reader", [ADD_COLUMN])
    waits, timeouts, failed = [], [], 0
    for number in range(scale.readers):
        with testbed.clone(ROWS) as database:
            answers, migration = alter_behind_a_reader(
                testbed, database, partial(migrating.manage, database, "db", "upgrade")
            )
        found = re.findall(r"lock timeout (\d+) ms|within (\d+) ms", migration.output)
        timeouts.append(max(int(one or two) for one, two in found) / 1000)
        waits.append(worst(answers))
        failed += sum(not one.good for one in answers.answers)
        print(
            f"  reader {number + 1}: longest lock timeout {timeouts[-1]:.3f} s, "
            f"slowest request {waits[-1]:.3f} s",
            flush=True,
        )
    over = [wait - timeout for wait, timeout in zip(waits, timeouts, strict=True)]
    figures = [
        Figure("slowest request, median", f"{median(waits):.3f} s"),
        Figure("requests that failed", str(failed), "0", failed == 0),
        at_most("beyond the longest lock timeout", median(over), scale.reader_slack),
    ]
    return figures + ([untimed(testbed)] if scale.baseline else [])


def untimed(testbed: Testbed) -> Figure:
    """Measure, for comparison, how long clients wait behind a migration without a lock timeout."""
    plain = with_plain_alembic(testbed, "untimed", [ADD_COLUMN])
    with testbed.clone(ROWS) as database:
        give_flag(database)
        answers, _ = alter_behind_a_reader(testbed, database, partial(upgrade, plain, database))
    failures = sum(not one.good for one in answers.answers)
    return Figure(
        "plain Alembic: slowest request, requests that failed",
        f"{worst(answers):.3f} s, {failures} of {len(answers.answers)}",
    )

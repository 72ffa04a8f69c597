"""A transaction stays open and holds the write fence: the migrator gives up and names it."""

import time
from math import inf

from proofs.harness.figures import Figure, at_most
from proofs.harness.load import Mix, load
from proofs.harness.testbed import Project, Testbed
from proofs.rehearsal.revisions import ADD_COLUMN, BACKFILL
from proofs.rehearsal.scale import Scale

ROWS = 1_000
DRAIN_SECONDS = 2.0
AGAIN_SECONDS = 0.3
BLOCKER = "forgotten-report"
KEY = "import src; from chassis.postgres.locks import write_fence; print(write_fence())"


def write_fence(project: Project) -> int:
    return int(project.python("-c", KEY).expect(0).output)


def prove(testbed: Testbed, scale: Scale) -> list[Figure]:
    del scale
    migrating = testbed.variant("blocked_drain", [ADD_COLUMN, BACKFILL])
    key = write_fence(testbed.serving)
    with testbed.clone(ROWS) as database:
        with (
            testbed.serving.serve(database, workers=2, threads=4) as port,
            database.connect(BLOCKER, autocommit=False) as blocker,
        ):
            with blocker.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", (key,))
            pid = blocker.get_backend_pid()
            with load(port, clients=6, mix=Mix(writes=0.5, slow=0, pause=0.02)) as answers:
                time.sleep(0.5)
                migration = migrating.manage(database, "db", "upgrade", "--drain-timeout", "2s")
                code = migration.wait()
                time.sleep(1)
        # The revisions that need no window were applied before.
        unchanged = database.revision() == "0002"
        left = database.open_windows()
        [(opened, ended)] = database.rows(
            "SELECT extract(epoch FROM starts_at)::float8, extract(epoch FROM finished_at)::float8"
            " FROM ops.window"
        )
    later = [one.received for one in answers.writes() if one.good and one.received > ended]
    refused = [one for one in answers.writes() if one.status == 503]
    named = BLOCKER in migration.output and str(pid) in migration.output
    return [
        Figure("exit code", str(code), "75", code == 75),
        Figure("the blocker's name and process id printed", str(named), "True", named),
        at_most("it gave up after", ended - opened, DRAIN_SECONDS + 1),
        at_most("first accepted write after that", min(later, default=inf) - ended, AGAIN_SECONDS),
        Figure("writes refused meanwhile", str(len(refused)), "> 0", bool(refused)),
        Figure(
            "the revision that needs a window not applied, no window left",
            str(unchanged and not left),
            "True",
            unchanged and not left,
        ),
    ]

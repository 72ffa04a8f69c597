"""Measures how exactly a window begins and ends for clients, with 1 to 16 server processes."""

import time
from dataclasses import dataclass
from math import inf

from proofs.harness.database import Database
from proofs.harness.figures import Figure, at_most, none_of
from proofs.harness.load import Answer, Load, Mix, load
from proofs.harness.proof_revision import Revision
from proofs.harness.testbed import Project, Testbed
from proofs.rehearsal.scale import Scale
from proofs.rehearsal.under_load import slow

ROWS = 1_000
THREADS = 8
REQUESTS_A_SECOND = 150
SLOW = 0.04  # The share of slow writes, so that some are running when a window begins.
WRITES_AGAIN, READS_FOLLOW = 0.3, 1.1
SEEN = 1.2  # Seconds between a window and the next one.
SLEEP = Revision("sleep", "read-only", ("SELECT pg_sleep(1)",))
# Writes are excluded from the time, by the database's clock, at which the migrator got the fence.
WINDOWS = """
    SELECT mode, extract(epoch FROM min(at) FILTER (WHERE event = 'draining'))::float8,
        extract(epoch FROM min(at) FILTER (WHERE event IN ('active', 'migrating')))::float8,
        extract(epoch FROM finished_at)::float8
    FROM ops.window w JOIN ops.event ON window_id = w.id GROUP BY w.id ORDER BY w.id
"""
COMMITS = """
    SELECT extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 FROM todos
    WHERE title LIKE '%load %'
"""


@dataclass(frozen=True, slots=True)
class Window:
    mode: str
    opened: float
    fenced: float
    ended: float


def rehearse(database: Database, migrating: Project) -> None:
    """Open a read-only window, a full window and a migration's window."""
    for mode in ("read-only", "full"):
        start = migrating.manage(database, "maintenance", "start", "--mode", mode, "--for", "5m")
        start.expect(0)
        if not start.find("nobody writes any more"):
            raise AssertionError(f"It does not say that nobody writes:\n{start.output}")
        time.sleep(0.5)
        migrating.run(database, "maintenance", "end")
        time.sleep(SEEN)
    migrating.run(database, "db", "upgrade")
    time.sleep(SEEN)


def last_sent(answers: list[Answer], moment: float, until: float, *, good: bool) -> float:
    """Return how long after that time the last request was sent that was served or rejected.

    Responses that come much later are left out: they may belong to the next window.
    """
    found = [
        one for one in answers if moment < one.sent and one.received < until and one.good is good
    ]
    last = max(found, key=lambda one: one.sent, default=None)
    if last and last.sent - moment > WRITES_AGAIN and not good:
        print(f"  {last.sent - moment:.3f} s after a window: {last.status} {last.said}", flush=True)
    return last.sent - moment if last else 0.0


def figures(
    workers: int, windows: list[Window], answers: Load, commits: list[float]
) -> list[Figure]:
    late = sum(one.fenced < at < one.ended for one in windows for at in commits)
    writes, reads = answers.writes(), answers.reads()
    accepted = [one.received for one in writes if one.status == 201]
    firsts = [min([at for at in accepted if at > w.ended], default=inf) - w.ended for w in windows]
    full = [one for one in windows if one.mode == "full"]
    refused = [last_sent(writes, w.ended, w.ended + SEEN, good=False) for w in windows]
    served = [last_sent(reads, w.opened, w.ended, good=True) for w in full]
    kept_out = [last_sent(reads, w.ended, w.ended + SEEN, good=False) for w in full]
    outside = [
        one
        for one in reads
        if one.status != 200 and not any(w.opened < one.received < w.ended + SEEN for w in full)
    ]
    for one in answers.unexplained()[:3]:
        print(f"  unexplained: {one.status} {one.said}", flush=True)
    name = f"{workers} process{'es' if workers > 1 else ''}"
    return [
        none_of(f"{name}: writes committed once the fence was had", late),
        at_most(f"{name}: first accepted write after the end", max(firsts), WRITES_AGAIN),
        at_most(f"{name}: last refused write after the end", max(refused), WRITES_AGAIN),
        at_most(f"{name}: last served read of a full window", max(served), READS_FOLLOW),
        at_most(f"{name}: last refused read after its end", max(kept_out), READS_FOLLOW),
        none_of(f"{name}: reads refused in a read-only window", outside),
        none_of(f"{name}: 5xx without Retry-After, or no answer", answers.unexplained()),
    ]


def prove(testbed: Testbed, scale: Scale) -> list[Figure]:
    serving = slow(testbed.variant("gates_serving"))
    migrating = testbed.variant("gates", [SLEEP])
    found: list[Figure] = []
    for workers in scale.workers:
        clients = min(max(4, 3 * workers), 32)
        mix = Mix(writes=0.5, slow=SLOW, pause=clients / REQUESTS_A_SECOND)
        with testbed.clone(ROWS) as database:
            with (
                serving.serve(database, workers=workers, threads=THREADS) as port,
                load(port, clients=clients, mix=mix) as answers,
            ):
                time.sleep(1)
                rehearse(database, migrating)
            windows = [Window(*row) for row in database.rows(WINDOWS)]
            commits = [at for (at,) in database.rows(COMMITS)]
        found += figures(workers, windows, answers, commits)
        print(f"  {workers} server processes: {len(answers.answers)} requests", flush=True)
    return found

"""A backfill under load is killed five times: it fills each row once, and requests stay fast."""

import random
import re
import time
from collections.abc import Callable

from proofs.harness.database import Database
from proofs.harness.figures import Figure, all_of, none_of
from proofs.harness.load import Load, Mix, load
from proofs.harness.testbed import Project, Testbed
from proofs.rehearsal.revisions import COUNTER, FILL
from proofs.rehearsal.scale import Scale

KILLS = 5
WITHOUT_SECONDS = 15
LONGEST_SECONDS = 3600
SEEN = "SELECT coalesce(max(seen), 0) FROM ops.backfill"
MIX = Mix(writes=0.3, slow=0)


def kill_once(project: Project, database: Database, at: int) -> str:
    """Kill the backfill after so many rows. Return the progress that `db status` shows then."""
    running = project.manage(database, "db", "upgrade")
    deadline = time.monotonic() + LONGEST_SECONDS
    while int(database.value(SEEN)) < at and time.monotonic() < deadline and not running.ended_at:
        time.sleep(0.02)
    running.process.kill()
    running.wait()
    output = project.run(database, "db", "status").output
    return next((line for line in output.splitlines() if line.startswith("backfills")), "")


def p99(answers: Load) -> float:
    seconds = sorted(one.seconds for one in answers.answers)
    return seconds[int(len(seconds) * 0.99)]


def measured(port: int, action: Callable[[], None]) -> Load:
    with load(port, clients=6, mix=MIX) as answers:
        action()
    return answers


def prove(testbed: Testbed, scale: Scale) -> list[Figure]:
    project = testbed.variant("backfill", [COUNTER, FILL])
    chance = random.Random(scale.filled)
    shown: list[str] = []
    with testbed.clone(scale.filled) as database:
        project.run(database, "db", "upgrade", "0002")
        total = scale.filled
        moments = sorted(chance.randrange(total // 50, total * 9 // 10) for _ in range(KILLS))

        def fill() -> None:
            shown.extend(kill_once(project, database, at) for at in moments)
            project.run(database, "db", "upgrade")

        with testbed.serving.serve(database, workers=1, threads=4) as port:
            without = measured(port, lambda: time.sleep(WITHOUT_SECONDS))
            began = time.monotonic()
            within = measured(port, fill)
            seconds = time.monotonic() - began
        seeds = "SELECT count(*) FROM todos WHERE title LIKE 'Seed %%' AND filled %s"
        once = int(database.value(seeds % "= 1"))
        again = int(database.value("SELECT count(*) FROM todos WHERE filled > 1"))
        opened = int(database.value("SELECT count(*) FROM ops.window"))
    progress = [line for line in shown if re.search(r"\d+ rows of about \d+ .*s left", line)]
    bad = [one for one in within.answers if not one.good]
    return [
        Figure("rows, and seconds with five kills", f"{total}, {seconds:.0f} s"),
        all_of("rows that were filled once", once, total),
        Figure("rows that were filled twice", str(again), "0", again == 0),
        all_of("kills after which `db status` showed how far it was", len(progress), KILLS),
        Figure("as in", progress[-1] if progress else "never"),
        Figure("windows", str(opened), "0", opened == 0),
        none_of("requests that were not answered well", bad),
        Figure("p99 without it, with it", f"{p99(without):.3f} s, {p99(within):.3f} s"),
    ]

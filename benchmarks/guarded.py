"""Measures the figures that have a budget; runs in the generated project's environment."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from benchmarks.budget import Figures, budget, lines, regressions, unmeasured
from benchmarks.checks import WrongAnswerError
from benchmarks.contestants import BASE, CONTESTANTS, ONION
from benchmarks.figures import figures
from benchmarks.in_process import WORKLOADS, Caller
from benchmarks.load import LoadError
from benchmarks.postgres import Postgres, postgres
from benchmarks.programme import stop
from benchmarks.report import table
from benchmarks.rounds import Programme, Scale, say
from benchmarks.rows import Rows
from benchmarks.servers import migrate, variables
from proofs.harness.issuer import SCOPE, Issuer

SCALE = Scale(rounds=5, seconds=1, connections=(16,), starts=1, workloads=tuple(WORKLOADS))
IMPORTS = 5
PAIRS, PAIR_SECONDS = 9, 0.6
SPENT = "import time; {}; print(time.process_time())"
AROUND = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")


def asked(project: Path, rows: Rows) -> Figures:
    """Count the statements and round trips of each workload, on the way to PostgreSQL."""
    sys.path.insert(0, str(project))
    from chassis.development.testing.wire import wire

    with wire(rows.server.url(rows.database)) as between:
        own = {"DATABASE_URL": between.url, "LOG_LEVEL": "WARNING"}
        os.environ.update(variables(rows) | own)
        os.chdir(project)
        from src.app import app  # type: ignore[import-not-found]

        caller = Caller(app.wsgi_app, rows.ids())
        queries: dict[str, float] = {}
        round_trips: dict[str, float] = {}
        for workload in WORKLOADS:
            caller.once(workload)
            between.begin()
            caller.once(workload)
            found = between.round_trips()
            round_trips[workload] = len(found)
            statements = [one for message in found for one in message.split("; ")]
            queries[workload] = sum(not one.startswith(AROUND) for one in statements)
        app.extensions["container"].engines().dispose()
    return {"queries": queries, "round_trips": round_trips}


def tokens(project: Path, rows: Rows) -> Figures:
    """Return the CPU of a read with a cached token relative to one without, measured in turn."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        issuer = Issuer(project / ".venv/bin/python", Path(folder))
        os.environ.update(variables(rows) | issuer.settings() | {"LOG_LEVEL": "WARNING"})
        from chassis.settings import load_config  # type: ignore[import-not-found]
        from src.config import Config  # type: ignore[import-not-found]
        from src.create_app import create_app  # type: ignore[import-not-found]

        app = create_app(load_config(Config))
        caller, ratios = Caller(app.wsgi_app, rows.ids()), []
        for _ in range(PAIRS):
            caller.headers = {}
            without = caller.microseconds("read", PAIR_SECONDS)
            caller.headers = {"HTTP_AUTHORIZATION": f"Bearer {issuer.token(SCOPE)}"}
            ratios.append(caller.microseconds("read", PAIR_SECONDS) / without)
        app.extensions["container"].engines().dispose()
    return {"cpu_to_read_without_token": {"read with a token": median(ratios)}}


def imports(project: Path, rows: Rows) -> Figures:
    """Measure the import of the project, relative to bare Flask; a first pair compiles modules."""

    def seconds(statement: str) -> float:
        command = [str(project / ".venv/bin/python"), "-c", SPENT.format(statement)]
        told = subprocess.run(
            command, cwd=project, env=variables(rows), check=True, capture_output=True, text=True
        )
        return float(told.stdout.split()[-1])

    _, *ratios = [
        seconds("import src.app") / seconds("import flask, sqlalchemy") for _ in range(IMPORTS + 1)
    ]
    return {"import_to_flask_and_sqlalchemy": {"application": median(ratios)}}


def loaded(project: Path, server: Postgres) -> Figures:
    """Measure CPU per request relative to bare Flask, then memory."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-")))
        programme = Programme(project, server, folder, SCALE)
        chosen = [one for one in CONTESTANTS if one.name in {ONION.name, BASE}]
        loads = programme.loads(chosen, stack)
        found = figures(programme.rounds(loads))
        say(programme.disturbance())
        for load in loads:
            load.server.stop()
        alone = programme.alone(loads[0].server.contestant, loads[0].server.rows)
    ratios = {one.workload: one.cpu_ratio for one in found if one.application == ONION.name}
    return {
        "cpu_to_flask": {name: ratio for name, ratio in ratios.items() if ratio is not None},
        "memory": {"process": alone.memory},
    }


def measured(project: Path, *, with_load: bool) -> Figures:
    cores = os.sched_getaffinity(0) - {max(os.sched_getaffinity(0))}
    with postgres(project, cores or os.sched_getaffinity(0)) as server, ExitStack() as stack:
        found = loaded(project, server) if with_load else {}
        rows = Rows(server, "guarded")
        stack.callback(rows.close)
        migrate(project, rows)
        rows.fill()
        counted = asked(project, rows)
        if not with_load:
            return counted
        return counted | imports(project, rows) | tokens(project, rows) | found


def main() -> int:
    project, with_load = Path(sys.argv[1]), sys.argv[2] == "load"
    allowed = budget()
    try:
        found = measured(project, with_load=with_load)
        found |= json.loads(sys.argv[3])  # Measured before, in other projects.
    except (LoadError, WrongAnswerError) as error:
        say(f"{error}\nNo figure of this run counts.")
        return 1
    print(table(lines(found, allowed)))
    failures = list(regressions(found, allowed))
    if with_load:
        failures += unmeasured(found, allowed)
    print("\n".join(["", *failures]) if failures else "\nAll within the budget.")
    return 1 if failures else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stop)
    sys.exit(main())

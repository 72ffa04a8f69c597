"""Measures more server processes; runs in the generated project's environment.

See benchmarks.scale.
"""

import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from benchmarks.checks import WrongAnswerError
from benchmarks.contestants import ONION, Contestant
from benchmarks.figures import Figure, figures
from benchmarks.in_process import WORKLOADS
from benchmarks.load import LoadError
from benchmarks.machine import machine
from benchmarks.pooler import has_pooler, pooler
from benchmarks.postgres import Postgres, postgres
from benchmarks.programme import stop
from benchmarks.report import table
from benchmarks.rounds import Programme, Scale, say

PROCESSES = (1, 2, 4)
CONNECTIONS = 64
SCALE = Scale(3, 1, (CONNECTIONS,), starts=1, workloads=tuple(WORKLOADS))
HEADERS = ["CPU us", "1/s", "to one process", "p50 ms", "p99 ms", "PG us", "PSS MiB in all"]


def contestants(server: Postgres, port: int | None) -> Iterator[Contestant]:
    """List the variants. One process without PgBouncer comes first, as the reference."""
    for processes in PROCESSES:
        title = f"{processes} process{'es' if processes > 1 else ''}"
        settings = {"WORKERS": str(processes)}
        yield replace(ONION, name=f"direct_{processes}", title=title, settings=settings)
    for processes in PROCESSES if port else ():
        name = f"pooled_{processes}"
        urls = {
            "DATABASE_URL": f"postgresql://{server.user}@127.0.0.1:{port}/bench_{name}",
            "MIGRATION_DATABASE_URL": server.url(f"bench_{name}"),
            "WORKERS": str(processes),
        }
        yield replace(ONION, name=name, title=f"{processes} behind PgBouncer", settings=urls)


def tables(found: list[Figure], titles: dict[str, str], memory: dict[str, float]) -> str:
    parts = []
    for workload in WORKLOADS:
        lines = [[f"{workload}, {CONNECTIONS} connections", *HEADERS]]
        lines += [
            [
                titles[one.application],
                f"{one.cpu:.0f}",
                f"{one.rate:.0f}",
                f"{one.rate_ratio:.2f}",
                f"{one.p50:.2f}",
                f"{one.p99:.2f}",
                f"{one.postgres:.0f}",
                f"{memory[one.application]:.0f}",
            ]
            for one in found
            if one.workload == workload
        ]
        parts.append(table(lines))
    return "\n\n".join(parts)


def measure(project: Path) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(postgres(project, os.sched_getaffinity(0)))
        port = stack.enter_context(pooler(server)) if has_pooler() else None
        about = machine(server)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-")))
        programme = Programme(project, server, folder, SCALE, shares=True)
        chosen = programme.with_tokens(list(contestants(server, port)))
        rows = programme.rows(chosen)
        for one in rows:
            stack.callback(one.close)
        loads = []
        for contestant, own in zip(chosen, rows, strict=True):
            say(f"Checking {contestant.title}")
            loads.append(programme.load(contestant, own, stack))
        found = figures(programme.rounds(loads), chosen[0].name)
        for load in loads:
            load.server.stop()
        memory = {}
        for contestant, own in zip(chosen, rows, strict=True):
            say(f"Starting {contestant.title}, alone")
            memory[contestant.name] = programme.alone(contestant, own).memory_in_all
    print("\n".join(f"{name}: {value}" for name, value in about.items()))
    print("The server's processes share all cores with PostgreSQL and the load.\n")
    print(tables(found, {one.name: one.title for one in chosen}, memory))


def main() -> int:
    try:
        measure(Path(sys.argv[1]))
    except (LoadError, WrongAnswerError) as error:
        say(f"{error}\nNo figure of this run counts.")
        return 1
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stop)
    sys.exit(main())

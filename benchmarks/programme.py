"""The measurement itself; runs in the generated project's environment. See benchmarks.run."""

import json
import os
import resource
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from types import FrameType
from typing import Any

from benchmarks.chart import chart
from benchmarks.checks import Checks, WrongAnswerError
from benchmarks.contestants import CONTESTANTS, JWT, USUAL, WORKLOADS, Contestant
from benchmarks.figures import Figure, Start, figures
from benchmarks.load import Load, LoadError, Measurement
from benchmarks.machine import machine
from benchmarks.meters import (
    busiest,
    cpu_seconds,
    family,
    machine_cpu_seconds,
    proportional_memory,
)
from benchmarks.postgres import Postgres, postgres
from benchmarks.report import load_tables, start_table
from benchmarks.rows import Rows
from benchmarks.servers import Server, migrate, start
from proofs.issuer import SCOPE, Issuer


@dataclass(frozen=True, slots=True)
class Scale:
    rounds: int
    seconds: int
    connections: tuple[int, ...]
    starts: int
    workloads: tuple[str, ...] = WORKLOADS


SCALES = {"short": Scale(3, 2, (16,), 3), "full": Scale(5, 2, (1, 16, 64), 7)}


class Programme:
    """The server has a core to itself; the load and PostgreSQL have the others."""

    def __init__(self, project: Path, server: Postgres, folder: Path, scale: Scale) -> None:
        self._project = project
        self._postgres = server
        self._folder = folder
        self._scale = scale
        self._core = max(os.sched_getaffinity(0))
        self._cores = os.sched_getaffinity(0) - {self._core}
        os.sched_setaffinity(0, self._cores)

    def rows(self, chosen: list[Contestant]) -> list[Rows]:
        """The generated project's own table, with its indexes: each has a clone of it."""
        filled = Rows(self._postgres, "filled")
        migrate(self._project, filled)
        filled.fill()
        filled.close()
        return [Rows(self._postgres, f"bench_{one.name}", filled.database) for one in chosen]

    def alone(self, contestant: Contestant, rows: Rows) -> Start:
        seconds = []
        for number in range(self._scale.starts):
            server = self._start(contestant, rows)
            try:
                seconds.append(server.first_answer)
                if number == 0:
                    load = Load(server, rows.ids(), [f"{contestant.todos}?limit=20"], self._cores)
                    for workload in self._scale.workloads:
                        load.measure(workload, USUAL, 1)
                    memory = proportional_memory(busiest(server.pid))
                    in_all = sum(proportional_memory(pid) for pid in family(server.pid))
            finally:
                server.stop()
        return Start(contestant.name, median(seconds), memory, in_all)

    def load(self, contestant: Contestant, rows: Rows, stack: ExitStack) -> Load:
        """Of a server that was checked and is warm."""
        server = self._start(contestant, rows)
        stack.callback(server.stop)
        checks = Checks(server)
        stack.callback(checks.close)
        load = Load(server, rows.ids(), checks.run(), self._cores)
        for workload in self._scale.workloads:
            if workload in contestant.workloads:
                load.measure(workload, USUAL, 1)
        return load

    def rounds(self, loads: list[Load]) -> list[Measurement]:
        """Each round has every load; the applications take turns, and another one begins."""
        found: list[Measurement] = []
        for number in range(self._scale.rounds):
            say(f"Round {number + 1} of {self._scale.rounds}")
            turn = number % len(loads)
            for connections in self._scale.connections:
                for workload in self._scale.workloads:
                    for load in loads[turn:] + loads[:turn]:
                        if load.server.contestant.has(workload, connections):
                            found.append(load.measure(workload, connections, self._scale.seconds))
        return found

    def others(self, loads: list[Load]) -> float:
        """CPU seconds until now of whatever has nothing to do with this run."""
        own = sum(cpu_seconds(load.server.pid) for load in loads) + cpu_seconds(self._postgres.pid)
        used = (
            resource.getrusage(resource.RUSAGE_SELF),
            resource.getrusage(resource.RUSAGE_CHILDREN),
        )
        own += sum(one.ru_utime + one.ru_stime for one in used)
        return machine_cpu_seconds() - own

    def _start(self, contestant: Contestant, rows: Rows) -> Server:
        log = self._folder / f"{contestant.name}.log"
        return start(contestant, self._project, rows, self._core, log)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def write(
    paths: list[Path],
    about: dict[str, Any],
    found: list[Figure],
    starts: list[Start],
    measurements: list[Measurement],
) -> None:
    told = {
        "about": about,
        "figures": [one.as_dict() for one in found],
        "starts": [one.as_dict() for one in starts],
        "measurements": [one.as_dict() for one in measurements],
    }
    paths[0].write_text(json.dumps(told, indent=1) + "\n")
    paths[1].write_text(chart(found))
    say(f"Written: {paths[0]} and {paths[1]}")


def measure(project: Path, scale: Scale, paths: list[Path], chosen: list[Contestant]) -> None:
    cores = os.sched_getaffinity(0) - {max(os.sched_getaffinity(0))}
    with ExitStack() as stack:
        server = stack.enter_context(postgres(project, cores))
        about = machine(server)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-")))
        programme = Programme(project, server, folder, scale)
        chosen = [_with_token(one, project, folder) for one in chosen]
        rows = programme.rows(chosen)
        for one in rows:
            stack.callback(one.close)
        loads, starts = [], []
        for contestant, own in zip(chosen, rows, strict=True):
            say(f"Checking {contestant.title}")
            loads.append(programme.load(contestant, own, stack))
        began, before = time.monotonic(), programme.others(loads)
        measurements = programme.rounds(loads)
        disturbed = (programme.others(loads) - before) / (time.monotonic() - began)
        about["busy_with_others"] = f"{disturbed:.2f} cores"
        for load in loads:
            load.server.stop()
        for contestant, own in zip(chosen, rows, strict=True):
            if not contestant.is_variant:
                say(f"Starting {contestant.title}, alone")
                starts.append(programme.alone(contestant, own))
    found = figures(measurements)
    print("\n".join(f"{name}: {value}" for name, value in about.items()))
    print(f"\n{load_tables(found)}\n\n{start_table(starts)}")
    write(paths, about, found, starts, measurements)


def _with_token(contestant: Contestant, project: Path, folder: Path) -> Contestant:
    if contestant.name != JWT:
        return contestant
    issuer = Issuer(project / ".venv/bin/python", folder)
    return replace(contestant, settings=issuer.settings(), token=issuer.token(SCOPE))


def main() -> int:
    project, length, json_path, chart_path, *names = sys.argv[1:]
    chosen = [contestant for contestant in CONTESTANTS if contestant.name in names]
    try:
        measure(Path(project), SCALES[length], [Path(json_path), Path(chart_path)], chosen)
    except (LoadError, WrongAnswerError) as error:
        say(f"{error}\nNo figure of this run counts.")
        return 1
    return 0


def stop(_number: int, _frame: FrameType | None) -> None:
    sys.exit(1)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stop)
    sys.exit(main())

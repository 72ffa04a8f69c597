"""Puts applications under load in turn, in several rounds."""

import os
import resource
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from benchmarks.checks import Checks
from benchmarks.contestants import USUAL, WORKLOADS, Contestant
from benchmarks.figures import Start
from benchmarks.load import Load, Measurement
from benchmarks.meters import (
    busiest,
    cpu_seconds,
    family,
    machine_cpu_seconds,
    proportional_memory,
)
from benchmarks.postgres import Postgres
from benchmarks.rows import Rows
from benchmarks.servers import Server, migrate, start
from proofs.harness.issuer import SCOPE, Issuer

MOST_BUSY = 0.1  # Cores; above this, the figures do not count.


@dataclass(frozen=True, slots=True)
class Scale:
    rounds: int
    seconds: int
    connections: tuple[int, ...]
    starts: int
    workloads: tuple[str, ...] = WORKLOADS


class Programme:
    """Loads, rounds and cores of a measurement.

    The server has one core, load and PostgreSQL have the others; with `shares`, all use all cores.
    """

    def __init__(
        self, project: Path, server: Postgres, folder: Path, scale: Scale, *, shares: bool = False
    ) -> None:
        self._project = project
        self._postgres = server
        self._folder = folder
        self._scale = scale
        self.busy_with_others = 0.0  # Cores that other programs used during the rounds.
        every = os.sched_getaffinity(0)
        self._servers = every if shares else {max(every)}
        self._cores = every if shares else every - self._servers
        os.sched_setaffinity(0, self._cores)

    def with_tokens(self, chosen: list[Contestant]) -> list[Contestant]:
        """Give the applications that verify tokens a token and the issuer's keys."""
        issuer = Issuer(self._project / ".venv/bin/python", self._folder)
        token = issuer.token(SCOPE)
        return [
            replace(one, settings={**one.settings, **issuer.settings()}, token=token)
            if one.verifies
            else one
            for one in chosen
        ]

    def rows(self, chosen: list[Contestant]) -> list[Rows]:
        """Create the table of each generated project; each application gets a clone of one."""
        filled: dict[Path, str] = {}
        found = []
        for one in chosen:
            project = one.project or self._project
            if project not in filled:
                filled[project] = self._filled(project, f"filled_{len(filled)}")
            found.append(Rows(self._postgres, f"bench_{one.name}", filled[project]))
        return found

    def _filled(self, project: Path, database: str) -> str:
        rows = Rows(self._postgres, database)
        migrate(project, rows)
        rows.fill()
        rows.close()
        return database

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
        """Measure a load on a server that was checked and warmed up."""
        server = self._start(contestant, rows)
        stack.callback(server.stop)
        checks = Checks(server)
        stack.callback(checks.close)
        load = Load(server, rows.ids(), checks.run(), self._cores)
        for workload in self._scale.workloads:
            if workload in contestant.workloads:
                load.measure(workload, USUAL, 1)
        return load

    def loads(self, chosen: list[Contestant], stack: ExitStack) -> list[Load]:
        """Start the applications, each with rows of its own, and with a token to verify."""
        chosen = self.with_tokens(chosen)
        rows = self.rows(chosen)
        for one in rows:
            stack.callback(one.close)
        return [self.load(*pair, stack) for pair in zip(chosen, rows, strict=True)]

    def rounds(self, loads: list[Load]) -> list[Measurement]:
        """Run the rounds. Each has every load; another application begins each round."""
        found: list[Measurement] = []
        began, before = time.monotonic(), self._others(loads)
        for number in range(self._scale.rounds):
            say(f"Round {number + 1} of {self._scale.rounds}")
            turn = number % len(loads)
            for connections in self._scale.connections:
                for workload in self._scale.workloads:
                    for load in loads[turn:] + loads[:turn]:
                        if load.server.contestant.has(workload, connections):
                            found.append(load.measure(workload, connections, self._scale.seconds))
        self.busy_with_others = (self._others(loads) - before) / (time.monotonic() - began)
        return found

    def disturbance(self) -> str:
        """Say how many cores other programs used, and whether the figures count."""
        text = f"Other programs used {self.busy_with_others:.2f} cores."
        return text + (" Measure again." if self.busy_with_others > MOST_BUSY else "")

    def _others(self, loads: list[Load]) -> float:
        """Return the CPU seconds so far of processes that do not belong to this run."""
        own = sum(cpu_seconds(load.server.pid) for load in loads) + cpu_seconds(self._postgres.pid)
        used = (
            resource.getrusage(resource.RUSAGE_SELF),
            resource.getrusage(resource.RUSAGE_CHILDREN),
        )
        own += sum(one.ru_utime + one.ru_stime for one in used)
        return machine_cpu_seconds() - own

    def _start(self, contestant: Contestant, rows: Rows) -> Server:
        log = self._folder / f"{contestant.name}.log"
        return start(contestant, self._project, rows, self._servers, log)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)

"""Puts applications under load in turn, in several rounds."""

import os
import resource
import sys
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
        """Create the generated project's table, of which each application gets a clone."""
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

    def rounds(self, loads: list[Load]) -> list[Measurement]:
        """Run the rounds. Each has every load; another application begins each round."""
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

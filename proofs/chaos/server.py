"""The service's server, whose processes a fault can count, signal and kill."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from proofs.harness.database import Database
from proofs.harness.processes import Running, free_port
from proofs.harness.testbed import Project

START_SECONDS = 60.0


def wait_until(condition: Callable[[], object], seconds: float, what: str) -> float:
    """Wait for the condition; return the time at which it came true."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"Not within {seconds} s: {what}")
        time.sleep(0.005)
    return time.time()


def listeners(port: int) -> int:
    """Count the sockets that listen on the port. Each server process has its own."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    wanted = f":{port:04X}"
    return sum(f[1].endswith(wanted) and f[3] == "0A" for f in (line.split() for line in lines))


class Server:
    def __init__(
        self,
        project: Project,
        database: Database,
        processes: int,
        variables: dict[str, str],
        port: int | None,
    ) -> None:
        self.port = port or free_port()
        self._project = project
        self._database = database
        self._processes = processes
        key = "of-the-chaos-and-of-no-other-proof"
        self._variables = {"WORKERS": str(processes), "SECRET_KEY": key} | variables
        self.running = self.start()

    def start(self) -> Running:
        self.running = self._project.manage(
            self._database, "serve", "--port", str(self.port), **self._variables
        )
        self.wait_until_it_serves()
        return self.running

    def wait_until_it_serves(self) -> float:
        def serves() -> bool:
            if self.running.ended_at:
                raise AssertionError(f"The server has ended:\n{self.running.output}")
            return len(self.workers()) == listeners(self.port) == self._processes

        return wait_until(serves, START_SECONDS, "each process of the server listens")

    def workers(self) -> frozenset[int]:
        """Return the ids of the processes that serve requests."""
        main = self.running.process.pid
        return frozenset(map(int, Path(f"/proc/{main}/task/{main}/children").read_text().split()))

    def stop(self) -> int:
        """End the server with SIGTERM; return its exit status."""
        self.tell(signal.SIGTERM)
        return self.running.wait(60)

    def tell(self, number: signal.Signals) -> None:
        os.kill(self.running.process.pid, number)


@contextmanager
def serving(
    project: Project,
    database: Database,
    processes: int,
    variables: dict[str, str],
    port: int | None,
) -> Iterator[Server]:
    server = Server(project, database, processes, variables, port)
    try:
        yield server
    finally:
        if not server.running.ended_at:
            server.stop()

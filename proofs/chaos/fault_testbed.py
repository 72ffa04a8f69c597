"""The testbed of a fault: database, server and neighbour; and the outcome of a trial."""

import http.client
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from proofs.chaos.ledger import Ledger
from proofs.chaos.postgres import Postgres, answers
from proofs.chaos.server import Server
from proofs.harness.database import Database
from proofs.harness.testbed import Project, Testbed

HEALTH_SECONDS = 2.5


class Neighbour(Protocol):
    """A system that the service depends on, and that a fault can stop."""

    def variables(self) -> dict[str, str]:
        """Return the environment variables with which the service finds the neighbour."""

    def close(self) -> None: ...


class NotPossibleError(Exception):
    """The machine lacks something that a fault needs; the text names it."""


@dataclass(slots=True)
class FaultTestbed:
    base: Testbed
    project: Project
    database: Database
    postgres: Postgres
    server: Server
    neighbour: Neighbour | None
    complaints: list[str] = field(default_factory=list)

    def recovered(self) -> float:
        """Return the time at which PostgreSQL answers a new client, the end of the fault."""
        return answers(self.database)

    def health(self, name: str, wanted: set[int], within: float = HEALTH_SECONDS) -> None:
        began, status = time.monotonic(), 0
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=10)
        try:
            connection.request("GET", f"/health/{name}")
            status = connection.getresponse().status
        except OSError as error:
            self.complaints.append(f"/health/{name}: {error!r}")
        finally:
            connection.close()
        seconds = time.monotonic() - began
        if status not in wanted or seconds > within:
            self.complaints.append(f"/health/{name}: {status} after {seconds:.1f} s")


@dataclass(frozen=True, slots=True)
class Fault:
    """`make` causes the fault, ends it, and returns the time of its end."""

    title: str
    make: Callable[[FaultTestbed], float]
    short: bool = True  # Is part of the short form.
    # Makes the neighbour that the service is started with, such as a Redis that will be stopped.
    around: Callable[[Testbed], Neighbour] | None = None
    processes: int = 2
    replaced: int = 0  # The number of server processes that the fault must replace.
    felt: bool | None = (
        # True: some requests must fail, or the fault had no effect. False: none may. None: both are
        # fine.
        True
    )
    slowest: float = float("inf")  # Seconds, the longest time of a request.


@dataclass(frozen=True, slots=True)
class Outcome:
    ledger: Ledger
    lost: list[str]
    recovery: float
    same: bool
    slowest: float
    complaints: list[str]

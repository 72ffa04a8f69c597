"""What a fault finds: a database, a server, clients that ask; and what is said of it after."""

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
    """What stands around the service, and can be taken away."""

    def variables(self) -> dict[str, str]:
        """With which the service finds it."""

    def close(self) -> None: ...


class NotPossibleError(Exception):
    """What this machine lacks to make a fault."""


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
        """The fault has ended when PostgreSQL answers somebody else."""
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
    """`make` begins and ends it, and returns when it has ended."""

    title: str
    make: Callable[[FaultTestbed], float]
    short: bool = True  # Of those that run in the short form.
    # What the service is started with, beside what it has, for instance a store that is taken away.
    around: Callable[[Testbed], Neighbour] | None = None
    processes: int = 2
    replaced: int = 0  # So many processes of the server may go, or have to.
    felt: bool | None = True  # Some requests fail, else the fault was none; or none may.
    slowest: float = float("inf")  # Seconds that a request may take.


@dataclass(frozen=True, slots=True)
class Outcome:
    ledger: Ledger
    lost: list[str]
    recovery: float
    same: bool
    slowest: float
    complaints: list[str]

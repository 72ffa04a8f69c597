from abc import ABC, abstractmethod
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SchemaState:
    """The revision of the database and the one that the code needs; None is before the first."""

    current: str | None
    required: str | None
    behind: bool
    newer: bool = False  # The database is at a revision that this code does not have.


class DatabaseProbe(ABC):
    @abstractmethod
    def schema_state(self) -> SchemaState:
        """Raise UnavailableError if the database does not answer in time."""


class ReadinessProbe(ABC):
    """Checks a dependency without which the service cannot serve, such as a broker."""

    @abstractmethod
    def check(self) -> None:
        """Raise UnavailableError, with a sentence that callers may see, if the dependency fails.

        All probes together have a second.
        """

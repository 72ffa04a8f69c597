from abc import ABC, abstractmethod
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SchemaState:
    """Revisions of the database schema; None is a database that was never migrated."""

    current: str | None
    required: str | None
    behind: bool
    newer: bool = False  # At a revision that this code does not have.


class DatabaseProbe(ABC):
    @abstractmethod
    def schema_state(self) -> SchemaState:
        """Raise UnavailableError if the database does not answer in time."""


class ReadinessProbe(ABC):
    """Of something without which the service cannot serve: a broker, say."""

    @abstractmethod
    def check(self) -> None:
        """Raise UnavailableError, with a sentence that callers may see, if it cannot be used now.

        All probes together have a second.
        """

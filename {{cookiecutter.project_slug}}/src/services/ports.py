"""What the services ask of the infrastructure."""

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from src.domain.models.todo import Todo


class Identified(Protocol):
    """What an entity needs to be stored: an identity, and the version that was read."""

    id: UUID
    version: int


Entity = TypeVar("Entity", bound=Identified)


class Repository(ABC, Generic[Entity]):
    """A collection of entities. What it hands out is a copy until it is saved."""

    @abstractmethod
    def get(self, entity_id: UUID) -> Entity:
        """Raise NotFoundError if there is none."""

    @abstractmethod
    def page(self, limit: int, after: UUID | None = None) -> list[Entity]:
        """At most `limit` entities in the order of their ids, from the first one past `after`."""

    @abstractmethod
    def add(self, entity: Entity) -> None:
        """Raise DuplicateError if its id, or a value that has to be unique, is taken."""

    @abstractmethod
    def save(self, entity: Entity) -> None:
        """Store a change and count the version up.

        Raise ConflictError if it was changed or removed since it was read.
        """

    @abstractmethod
    def remove(self, entity: Entity) -> None:
        """Raise ConflictError if it was changed or removed since it was read."""


class UnitOfWork:
    """The repositories of one transaction."""

    todos: Repository[Todo]


class UnitOfWorkFactory(ABC):
    @abstractmethod
    def __call__(self, *, read_only: bool = False) -> AbstractContextManager[UnitOfWork]:
        """Open a unit of work: one transaction, committed on a clean exit, else rolled back.

        A read-only one has no transaction: each query sees the newest state, writing fails.
        Opening one inside another on the same thread raises RuntimeError.
        Raise UnavailableError if the database does not answer in time, ConflictError if the
        transaction collided with another one.
        """


class Clock(ABC):
    @abstractmethod
    def now(self) -> datetime:
        """The present moment, aware, in UTC."""


@dataclass(frozen=True, slots=True)
class SchemaState:
    """Revisions of the database schema; None is a database that was never migrated."""

    current: str | None
    required: str | None
    behind: bool


class DatabaseProbe(ABC):
    @abstractmethod
    def schema_state(self) -> SchemaState:
        """Raise UnavailableError if the database does not answer in time."""

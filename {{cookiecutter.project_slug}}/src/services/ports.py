"""What the services ask of the infrastructure."""

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from src.domain.models.maintenance import MaintenanceMode, Window
from src.domain.models.todo import Todo
from src.services.paging import PageQuery


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
    def page(self, query: PageQuery) -> list[Entity]:
        """At most its limit of the entities that it asks for, from the first one past `after`."""

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


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What was answered, and a fingerprint of the request that it was the answer to."""

    fingerprint: str
    status: int
    headers: dict[str, str]
    body: bytes


class Once(ABC):
    """A transaction that the units of work opened within it join."""

    answer: KeptAnswer | None  # Kept by an earlier one with the same key.

    @abstractmethod
    def keep(self, answer: KeptAnswer) -> None:
        """Store it; it is committed with everything else, on a clean exit."""


class UnitOfWorkFactory(ABC):
    @abstractmethod
    def __call__(self, *, read_only: bool = False) -> AbstractContextManager[UnitOfWork]:
        """Open a unit of work: one transaction, committed on a clean exit, else rolled back.

        A read-only one has no transaction: each query sees the newest state, writing fails.
        Opening one inside another on the same thread raises RuntimeError.
        Raise UnavailableError if the database does not answer in time, CollisionError if the
        transaction collided with another one.
        """

    @abstractmethod
    def once(self, key: str) -> AbstractContextManager[Once]:
        """Open what the units of work of a request with an Idempotency-Key join.

        Of these an inner one that fails takes back only its own part, as it would alone.
        Raise BusyError while another transaction has that key, else what a unit of work raises.
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
    newer: bool = False  # At a revision that this code does not have.


@dataclass(frozen=True, slots=True)
class WindowEvent:
    at: datetime
    window_id: int
    event: str
    actor: str
    source: str
    detail: str


class MaintenanceWindows(ABC):
    """Windows in which nobody writes, or nobody reads either; at most one is open at a time.

    Each method raises UnavailableError if the database does not answer in time.
    """

    @abstractmethod
    def current(self) -> Window | None:
        """The one that is open, else the next one."""

    @abstractmethod
    def settle_orphan(self) -> None:
        """End the window of an owner that died, if the schema is proven unchanged or complete."""

    @abstractmethod
    def start(
        self,
        mode: MaintenanceMode,
        message: str,
        lasts: timedelta | None,
        *,
        expires: bool = True,
        patience: timedelta,
    ) -> Window:
        """Open one and wait until nobody writes; it ends by itself after `lasts` if it `expires`.

        Raise ConflictError if one is open, BusyError if writers do not end within `patience`.
        """

    @abstractmethod
    def schedule(
        self, mode: MaintenanceMode, message: str, starts_at: datetime, lasts: timedelta
    ) -> Window:
        """Raise ConflictError if it overlaps another one, ValidationError if it begins earlier."""

    @abstractmethod
    def end(self, accept_schema: str | None = None) -> Window:
        """Raise BusyError while a migration runs.

        After one that failed, raise ConflictError unless `accept_schema` is the database's
        revision. Raise NotFoundError if none is open.
        """

    @abstractmethod
    def cancel(self, window_id: int) -> None:
        """Raise NotFoundError unless it is scheduled and has not begun."""

    @abstractmethod
    def events(self, window_id: int | None = None) -> list[WindowEvent]:
        """What happened to one, or to all, in order."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, and what they have been allowed to do."""

    subject: str
    scopes: frozenset[str]


class Authenticator(ABC):
    @abstractmethod
    def authenticate(self, token: str) -> Principal:
        """Raise AuthenticationError if it is not good, UnavailableError if that cannot be known."""


class DatabaseProbe(ABC):
    @abstractmethod
    def schema_state(self) -> SchemaState:
        """Raise UnavailableError if the database does not answer in time."""

"""What services ask of a database: repositories, and transactions."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, Self, TypeVar
from uuid import UUID

from chassis.core.commit_hooks import Action, CommitHooks
from chassis.core.paging import PageQuery


class Identified(Protocol):
    """What an entity needs to be stored: an identity, and the version that was read."""

    id: UUID
    version: int


Entity = TypeVar("Entity", bound=Identified)
Work_co = TypeVar("Work_co", covariant=True)


class Clock(Protocol):
    def now(self) -> datetime: ...


class Repository(ABC, Generic[Entity]):
    """A collection of entities. What it hands out is a copy until it is saved."""

    @abstractmethod
    def where(self, **values: Any) -> Self:
        """Those only whose fields have these values; to it the others do not exist.

        It looks before any condition of a request does: `work.letters.where(owner=subject)`.
        """

    @abstractmethod
    def get(self, entity_id: UUID, *, lock: bool = False) -> Entity:
        """Raise NotFoundError if there is none.

        With `lock`, others who want to lock or change it wait until the end of the transaction.
        """

    @abstractmethod
    def get_many(self, ids: Iterable[UUID], *, lock: bool = False) -> dict[UUID, Entity]:
        """By their ids; one that does not exist is left out. Locked in the order of the ids."""

    @abstractmethod
    def exists(self, entity_id: UUID) -> bool: ...

    @abstractmethod
    def find(self, **values: Any) -> Entity | None:
        """The one whose fields have these values, which together are unique."""

    @abstractmethod
    def page(self, query: PageQuery) -> list[Entity]:
        """At most its limit of the entities that it asks for, from the first one past `after`."""

    @abstractmethod
    def add(self, entity: Entity) -> None:
        """Raise DuplicateError if its id, or a value that has to be unique, is taken.

        Raise ValidationError, with the field, for a reference to what does not exist. Fields named
        `created_at` and `updated_at` get the present moment.
        """

    @abstractmethod
    def save(self, entity: Entity) -> None:
        """Store a change and count the version up.

        Raise ConflictError if it was changed or removed since it was read, else what `add` raises.
        """

    @abstractmethod
    def remove(self, entity: Entity) -> None:
        """Raise ConflictError if it was changed or removed since it was read, or is referred to."""


class Transaction:
    hooks: CommitHooks | None = None  # None where it is read-only.

    def after_commit(self, action: Action) -> None:
        """Call it in this thread, once, when all that this is part of has committed.

        Never for what was rolled back, repeated after a collision, or replayed for an
        Idempotency-Key. In a request it is called before the answer; what it raises is logged and
        does not change the answer. A process that ends in between never calls it: what must not
        be lost is written in the transaction itself, to an outbox. Raise RuntimeError in a
        read-only one.
        """
        if self.hooks is None:
            raise RuntimeError("A read-only unit of work commits nothing.")
        self.hooks.add(action)


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


class UnitOfWorkFactory(ABC, Generic[Work_co]):
    """Opens units of work: of a project's own kind, which says what its repositories are."""

    @abstractmethod
    def __call__(self, *, read_only: bool = False) -> AbstractContextManager[Work_co]:
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

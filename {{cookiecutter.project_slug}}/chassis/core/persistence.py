"""The ports to a database: repositories and units of work."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, Self, TypeVar
from uuid import UUID

from chassis.core.commit_hooks import Action, CommitHooks
from chassis.core.paging import PageQuery

# The text of a RuntimeError.
NESTED = "A unit of work is open on this thread: end its block first, or use its `work`."
STALE = "The entity was changed or removed in the meantime."  # A ConflictError's text.


class Identified(Protocol):
    """An entity that can be stored: it has an id, and the version that was read."""

    id: UUID
    version: int


Entity = TypeVar("Entity", bound=Identified)
Work_co = TypeVar("Work_co", covariant=True)


class Clock(Protocol):
    """The part of the project's port Clock that the chassis needs."""

    def now(self) -> datetime:
        """The present time, with its time zone: UTC."""


class Repository(ABC, Generic[Entity]):
    """A collection of entities, which it hands out as copies: only `save` stores a change.

    An error of `add`, `save` or `remove` ends the unit of work, unless the version was old.
    """

    @abstractmethod
    def where(self, **values: Any) -> Self:
        """A repository of only those entities whose fields have these values.

        For callers, the other entities do not exist, whatever version they expect.
        """

    @abstractmethod
    def get(self, entity_id: UUID, *, lock: bool = False) -> Entity:
        """The entity with this id. Raise NotFoundError if there is none.

        Raise PreconditionFailedError if the request expects another version of this entity. With
        `lock`, transactions that lock or change the entity wait until this one ends.
        """

    @abstractmethod
    def get_many(self, ids: Iterable[UUID], *, lock: bool = False) -> dict[UUID, Entity]:
        """Entities by id, without those that do not exist. Locks are taken in the order of ids."""

    @abstractmethod
    def exists(self, entity_id: UUID) -> bool:
        """Whether an entity has this id; one that `where` leaves out does not count."""

    @abstractmethod
    def find(self, **values: Any) -> Entity | None:
        """The entity with these values, or None; of several entities, any one.

        A unique constraint on the fields makes the result certain and the query fast.
        """

    @abstractmethod
    def page(self, query: PageQuery) -> list[Entity]:
        """The entities that match the query: at most `limit`, beginning behind `after`."""

    @abstractmethod
    def add(self, entity: Entity) -> None:
        """Store a new entity. Fields named `created_at` and `updated_at` get the present moment.

        If its id or a unique value exists already, the unit of work ends with DuplicateError: catch
        it outside of the block, because the transaction is over. Raise ValidationError, with the
        field, for a reference to a missing entity.
        """

    @abstractmethod
    def save(self, entity: Entity) -> None:
        """Store a changed entity and add 1 to its version.

        Raise ConflictError if somebody changed or removed the entity since it was read. Duplicates
        and references are refused as by `add`.
        """

    @abstractmethod
    def remove(self, entity: Entity) -> None:
        """Remove an entity.

        Raise ConflictError if somebody changed or removed the entity since it was read, or if
        another entity refers to it.
        """


class Transaction:
    hooks: CommitHooks | None = None  # None in a read-only transaction.

    def after_commit(self, action: Action) -> None:
        """Run an action in this thread, once, after the outermost transaction has committed.

        The action does not run for a transaction that was rolled back or repeated, nor if `once`
        finds a stored response. The action runs before the caller goes on. Its exception is logged
        and changes nothing for the caller. A process that dies in between never runs the action:
        write what must not be lost into an outbox, in the same transaction.

        Raise RuntimeError in a read-only transaction.
        """
        if self.hooks is None:
            raise RuntimeError("A read-only unit of work commits nothing.")
        self.hooks.add(action)


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """A stored response, with a fingerprint of the request that it answered."""

    fingerprint: str
    status: int
    headers: dict[str, str]
    body: bytes


class IdempotentTransaction(ABC):
    """A transaction for one key, which units of work inside it join."""

    response: StoredResponse | None  # Stored by an earlier transaction with the same key.

    @abstractmethod
    def store(self, response: StoredResponse) -> None:
        """Store the response; a clean exit commits it with everything else."""


class UnitOfWorkFactory(ABC, Generic[Work_co]):
    """Opens units of work. The project's own type of them has the repositories."""

    @abstractmethod
    def __call__(self, *, read_only: bool = False) -> AbstractContextManager[Work_co]:
        """Open a unit of work: one transaction, which a clean exit commits and an error rolls back.

        A read-only unit has no transaction: each query sees the newest state, and writing fails.
        Opening one inside another on the same thread raises RuntimeError.
        Raise UnavailableError if the database does not answer in time, CollisionError if the
        transaction collided with another one, and DuplicateError, at the end of the block, for a
        value that exists already.
        """

    @abstractmethod
    def once(self, key: str) -> AbstractContextManager[IdempotentTransaction]:
        """Open the only transaction that a key may have; units of work inside it join it.

        A unit of work that fails inside it rolls back only its own part.
        Raise BusyError while another transaction has the key, and what a unit of work raises.
        """

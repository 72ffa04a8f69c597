"""What repositories and units of work know of the request that is being served, if one is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from uuid import UUID

from chassis.core.errors import PreconditionFailedError


@dataclass(slots=True)
class Attempt:
    """One of the attempts to serve it; a collision may make another one necessary."""

    # The entity that the request is about, and whether the caller expects it as it is; None is any.
    entity_id: UUID | None
    expects: Callable[[int, object], bool] | None
    # What was found to be as expected, and what the request itself has made of it.
    met_versions: set[int] = field(default_factory=set)
    committed: bool = False


_present: ContextVar[Attempt | None] = ContextVar("attempt", default=None)


@contextmanager
def attempting(attempt: Attempt) -> Iterator[None]:
    token = _present.set(attempt)
    try:
        yield
    finally:
        _present.reset(token)


def require(entity_id: UUID, version: int, entity: object = None) -> None:
    """Raise PreconditionFailedError if the caller expects another version of this entity.

    `entity` is as it was stored, or None where it was changed since, or is not at hand.
    """
    attempt = _present.get()
    if attempt is None or attempt.expects is None or entity_id != attempt.entity_id:
        return
    if version in attempt.met_versions:
        return
    if not attempt.expects(version, entity):
        raise PreconditionFailedError("It has another version than the request expects.")
    attempt.met_versions.add(version)


def note_saved(entity_id: UUID, version: int) -> None:
    """Nobody expected the version that the request itself has made."""
    attempt = _present.get()
    if attempt and entity_id == attempt.entity_id:
        attempt.met_versions.add(version)


def note_committed() -> None:
    if attempt := _present.get():
        attempt.committed = True

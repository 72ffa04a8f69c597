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

    # The entity that the request is about, and which of its versions the caller expects.
    entity_id: UUID | None
    expects: Callable[[int], bool]
    own_versions: set[int] = field(default_factory=set)
    committed: bool = False


_present: ContextVar[Attempt | None] = ContextVar("attempt", default=None)


@contextmanager
def attempting(attempt: Attempt) -> Iterator[None]:
    token = _present.set(attempt)
    try:
        yield
    finally:
        _present.reset(token)


def require(entity_id: UUID, version: int) -> None:
    """Raise PreconditionFailedError if the caller expects another version of this entity."""
    attempt = _present.get()
    if attempt is None or entity_id != attempt.entity_id or version in attempt.own_versions:
        return
    if not attempt.expects(version):
        raise PreconditionFailedError("It has another version than the request expects.")


def note_saved(entity_id: UUID, version: int) -> None:
    """Nobody expected the version that the request itself has made."""
    attempt = _present.get()
    if attempt and entity_id == attempt.entity_id:
        attempt.own_versions.add(version)


def note_committed() -> None:
    if attempt := _present.get():
        attempt.committed = True

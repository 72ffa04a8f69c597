"""What repositories and units of work know of the attempt to serve a request, if there is one."""

from uuid import UUID

from chassis.core.errors import PreconditionFailedError
from chassis.core.request_scope import current_scope


def require(entity_id: UUID, version: int) -> None:
    """Raise PreconditionFailedError if the caller expects another version of this entity."""
    attempt = current_scope().attempt
    if attempt is None or entity_id != attempt.entity_id or version in attempt.own_versions:
        return
    if not attempt.expects(version):
        raise PreconditionFailedError("It has another version than the request expects.")


def note_saved(entity_id: UUID, version: int) -> None:
    """Nobody expected the version that the request itself has made."""
    attempt = current_scope().attempt
    if attempt and entity_id == attempt.entity_id:
        attempt.own_versions.add(version)


def note_committed() -> None:
    if attempt := current_scope().attempt:
        attempt.committed = True

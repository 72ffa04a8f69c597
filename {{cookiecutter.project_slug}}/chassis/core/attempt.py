"""What repositories and units of work know of the attempt to serve a request, if there is one."""

from uuid import UUID

from chassis.core.errors import PreconditionFailedError
from chassis.core.request_scope import current_scope


def require(entity_id: UUID, version: int, entity: object = None) -> None:
    """Raise PreconditionFailedError if the caller expects another version of this entity.

    `entity` is as it was stored, or None where it was changed since, or is not at hand.
    """
    attempt = current_scope().attempt
    if attempt is None or attempt.expects is None or entity_id != attempt.entity_id:
        return
    if version in attempt.met_versions:
        return
    if not attempt.expects(version, entity):
        raise PreconditionFailedError("It has another version than the request expects.")
    attempt.met_versions.add(version)


def note_saved(entity_id: UUID, version: int) -> None:
    """Nobody expected the version that the request itself has made."""
    attempt = current_scope().attempt
    if attempt and entity_id == attempt.entity_id:
        attempt.met_versions.add(version)


def note_committed() -> None:
    if attempt := current_scope().attempt:
        attempt.committed = True

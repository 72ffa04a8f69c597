"""The state that repositories share with the current attempt to serve a request."""

from uuid import UUID

from chassis.core.errors import PreconditionFailedError
from chassis.core.request_scope import current_scope


def require(entity_id: UUID, version: int, entity: object = None) -> None:
    """Raise PreconditionFailedError if the caller expects another version of this entity.

    `entity` is the stored one, or None; with None, only the versions are compared.
    """
    attempt = current_scope().attempt
    if attempt is None or attempt.expects is None or entity_id != attempt.entity_id:
        return
    if version in attempt.met_versions:
        return
    if not attempt.expects(version, entity):
        raise PreconditionFailedError("The entity has another version than the request expects.")
    attempt.met_versions.add(version)


def note_saved(entity_id: UUID, version: int) -> None:
    """Note a version that this request made: a later `require` of the request accepts it."""
    attempt = current_scope().attempt
    if attempt and attempt.expects and entity_id == attempt.entity_id:
        attempt.met_versions.add(version)


def note_committed() -> None:
    if attempt := current_scope().attempt:
        attempt.committed = True

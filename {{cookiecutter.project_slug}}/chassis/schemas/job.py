from typing import Any

import marshmallow

from chassis.core.jobs import JobState
from chassis.schemas import fields
from chassis.schemas.base import Schema


class Document(marshmallow.fields.Dict):
    """An object as it is stored."""

    def _serialize(self, value: Any, *_: Any, **__: Any) -> Any:
        return value


class JobOutput(Schema):
    id = fields.UUID(required=True)
    task = fields.String(required=True)
    state = fields.String(required=True, metadata={"enum": list(JobState)})
    attempts = fields.Integer(required=True, metadata={"description": "Attempts that have begun."})
    result = Document(required=True, allow_none=True)
    error = fields.String(
        required=True, allow_none=True, metadata={"description": "Why the last attempt failed."}
    )
    created_at = fields.AwareDateTime(required=True)
    not_before = fields.AwareDateTime(
        required=True, metadata={"description": "When it begins, at the earliest."}
    )
    finished_at = fields.AwareDateTime(required=True, allow_none=True)
    version = fields.Integer(required=True)

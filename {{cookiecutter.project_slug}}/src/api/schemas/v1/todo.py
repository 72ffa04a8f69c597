from marshmallow import Schema, fields

from src.api.schemas.fields import Cursor, Text
from src.domain.constants import TODO_TITLE_LENGTH


class TodoInput(Schema):
    title = Text(max_length=TODO_TITLE_LENGTH, required=True)


class TodoPatch(Schema):
    title = Text(max_length=TODO_TITLE_LENGTH)


class TodoOutput(Schema):
    id = fields.UUID(required=True)
    title = fields.String(required=True)
    completed_at = fields.AwareDateTime(required=True, allow_none=True)
    version = fields.Integer(required=True)


class TodoPage(Schema):
    items = fields.List(fields.Nested(TodoOutput), required=True)
    next = Cursor(required=True, allow_none=True)

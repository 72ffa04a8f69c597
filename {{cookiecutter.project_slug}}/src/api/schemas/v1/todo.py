from chassis.schemas import fields
from chassis.schemas.base import Schema
from chassis.schemas.sort import Sort
from src.api.requests import PageArguments
from src.domain.constants import TODO_TITLE_LENGTH


class TodoInput(Schema):
    title = fields.Text(max_length=TODO_TITLE_LENGTH, required=True)


class TodoPatch(Schema):
    title = fields.Text(max_length=TODO_TITLE_LENGTH)


class TodoOutput(Schema):
    id = fields.UUID(required=True)
    title = fields.Text(max_length=TODO_TITLE_LENGTH, required=True)
    completed_at = fields.AwareDateTime(required=True, allow_none=True)
    version = fields.Integer(required=True)


class TodoQuery(PageArguments):
    sort = Sort(created_at="id", title="title")  # An id begins with the time when it was made.
    title = fields.Text(max_length=TODO_TITLE_LENGTH)


class TodoPage(Schema):
    items = fields.List(fields.Nested(TodoOutput), required=True)
    next = fields.Cursor(required=True, allow_none=True)

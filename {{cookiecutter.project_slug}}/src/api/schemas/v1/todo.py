from chassis.schemas import fields, filters
from chassis.schemas.base import Schema
from chassis.schemas.sort import Sort
from src.api.requests import PageArguments
from src.domain.models.todo import Todo


class TodoInput(Schema):
    title = fields.of(Todo, "title", required=True)


class TodoOutput(Schema):
    id = fields.UUID(required=True)
    title = fields.of(Todo, "title", required=True)
    completed_at = fields.of(Todo, "completed_at", required=True)
    version = fields.Integer(required=True)


class TodoQuery(PageArguments):
    sort = Sort(Todo, "title", created_at="id")
    title = filters.equal(Todo, "title")


class TodoPage(Schema):
    items = fields.List(fields.Nested(TodoOutput), required=True)
    next = fields.Cursor(required=True, allow_none=True)

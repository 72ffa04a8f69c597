from chassis.schemas import fields
from chassis.schemas.base import Schema
from src.domain.models.tag import Tag


class TagInput(Schema):
    name = fields.of(Tag, "name", required=True)


class TagOutput(Schema):
    id = fields.of(Tag, "id", required=True)
    name = fields.of(Tag, "name", required=True)
    version = fields.of(Tag, "version", required=True)


class TagPage(Schema):
    items = fields.List(fields.Nested(TagOutput), required=True)
    next = fields.Cursor(required=True, allow_none=True)

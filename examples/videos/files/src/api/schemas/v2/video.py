from chassis.schemas import fields
from chassis.schemas.base import Schema
from src.domain.models.video import Video


class VideoOutput(Schema):
    id = fields.UUID(required=True)
    title = fields.of(Video, "title", required=True)
    description = fields.of(Video, "description", required=True)
    milliseconds = fields.of(Video, "milliseconds", required=True)
    likes = fields.of(Video, "likes", required=True)
    version = fields.Integer(required=True)


class VideoPage(Schema):
    items = fields.List(fields.Nested(VideoOutput), required=True)
    next = fields.Cursor(required=True, allow_none=True)

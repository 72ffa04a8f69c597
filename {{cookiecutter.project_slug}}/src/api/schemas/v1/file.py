from chassis.core.storage.stored_file import StoredFile
from chassis.schemas import fields
from chassis.schemas.base import Schema
from src.api.requests import PageArguments


def example(text: str) -> dict[str, list[str]]:
    return {"examples": [text]}


class FileInput(Schema):
    name = fields.of(StoredFile, "name", required=True, metadata=example("table.csv"))
    media_type = fields.of(StoredFile, "media_type", required=True, metadata=example("text/csv"))
    size = fields.of(StoredFile, "size", required=True)
    sha256 = fields.of(StoredFile, "sha256", required=True, metadata=example("0" * 64))


class FileOutput(FileInput):
    id = fields.UUID(required=True)
    state = fields.of(StoredFile, "state", required=True)
    created_at = fields.AwareDateTime(required=True)
    version = fields.Integer(required=True)


class UploadOutput(Schema):
    """A POST sends the fields as multipart/form-data, and last the content, as `file`."""

    method = fields.String(required=True, metadata={"enum": ["POST", "PUT"]})
    url = fields.String(required=True)
    expires_at = fields.AwareDateTime(required=True, allow_none=True)
    form_fields = fields.JsonObject(required=True, data_key="fields")


class FileQuery(PageArguments):
    state = fields.of(StoredFile, "state")


class FilePage(Schema):
    items = fields.List(fields.Nested(FileOutput), required=True)
    next = fields.Cursor(required=True, allow_none=True)

from marshmallow import Schema, fields, validate

from src.api.schemas.fields import Text

MODES = ("read-only", "full")
LONGEST_SECONDS = 24 * 60 * 60


class WindowOutput(Schema):
    window_id = fields.Integer(attribute="id")
    mode = fields.String()
    phase = fields.String()
    starts_at = fields.DateTime()
    expected_end = fields.DateTime(allow_none=True)


class MaintenanceOutput(WindowOutput):
    window_id = fields.Integer(attribute="id", allow_none=True)
    mode = fields.String(metadata={"description": "off, read-only or full, at this moment."})
    message = fields.String()
    retry_after = fields.Integer(allow_none=True, metadata={"description": "Seconds."})


class WindowInput(Schema):
    mode = fields.String(required=True, validate=validate.OneOf(MODES))
    starts_at = fields.AwareDateTime(
        metadata={"description": "With its offset; at once without it."}
    )
    duration_s = fields.Integer(validate=validate.Range(1, LONGEST_SECONDS))
    message = Text(load_default="", min_length=0, max_length=500)


class WindowEndInput(Schema):
    accept_schema = Text(load_default=None, max_length=32)

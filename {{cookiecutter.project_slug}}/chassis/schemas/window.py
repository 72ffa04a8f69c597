from marshmallow import validate

from chassis.core.limits import BIG_INTEGER_MAX
from chassis.schemas import fields
from chassis.schemas.base import Schema

MODES = ("read-only", "full")
LONGEST_SECONDS = 24 * 60 * 60


class WindowOutput(Schema):
    window_id = fields.Integer(maximum=BIG_INTEGER_MAX, attribute="id")
    mode = fields.String()
    phase = fields.String()
    starts_at = fields.AwareDateTime()
    expected_end = fields.AwareDateTime(allow_none=True)


class MaintenanceOutput(WindowOutput):
    window_id = fields.Integer(maximum=BIG_INTEGER_MAX, attribute="id", allow_none=True)
    starts_at = fields.AwareDateTime(allow_none=True)
    mode = fields.String(metadata={"description": "off, read-only or full, at this moment."})
    message = fields.String()
    retry_after = fields.Integer(allow_none=True, metadata={"description": "Seconds."})


class WindowInput(Schema):
    mode = fields.Text(max_length=9, required=True, validate=validate.OneOf(MODES))
    starts_at = fields.AwareDateTime(
        metadata={"description": "With its offset; at once without it."}
    )
    duration_s = fields.Integer(validate=validate.Range(1, LONGEST_SECONDS))
    message = fields.Text(load_default="", min_length=0, max_length=500)


class WindowEndInput(Schema):
    accept_schema = fields.Text(load_default=None, max_length=32)

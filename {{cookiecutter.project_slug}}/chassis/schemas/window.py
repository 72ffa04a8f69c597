from datetime import timedelta
from typing import Any

from marshmallow import post_load, validate

from chassis.core.limits import BIG_INTEGER_MAX
from chassis.core.maintenance import MaintenanceMode, Window
from chassis.core.maintenance_service import retry_after
from chassis.schemas import fields
from chassis.schemas.base import Schema

MODES = ("read-only", "full")
LONGEST_SECONDS = 24 * 60 * 60
OFF = {"id": None, "mode": "off", "phase": "off", "message": ""}


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


def maintenance_state(window: Window | None) -> dict[str, Any]:
    """The values for MaintenanceOutput: of the open window, else of the next one."""
    state: dict[str, Any] = dict.fromkeys(MaintenanceOutput().fields) | OFF
    if window:
        state |= {"id": window.id, "phase": window.phase, "message": window.message}
        state |= {"starts_at": window.starts_at, "expected_end": window.expected_end}
        if window.is_open:
            state |= {"mode": window.mode, "retry_after": retry_after(window)}
    return state


class WindowInput(Schema):
    mode = fields.Text(max_length=9, required=True, validate=validate.OneOf(MODES))
    starts_at = fields.AwareDateTime(
        metadata={"description": "With its offset; at once without it."}
    )
    duration_s = fields.Integer(validate=validate.Range(1, LONGEST_SECONDS))
    message = fields.Text(load_default="", min_length=0, max_length=500)

    @post_load
    def _arguments(self, body: dict[str, Any], **_: Any) -> dict[str, Any]:
        """The body as arguments of `MaintenanceService.open`."""
        lasts = timedelta(seconds=body.pop("duration_s")) if "duration_s" in body else None
        return {"starts_at": None, **body, "mode": MaintenanceMode(body["mode"]), "lasts": lasts}


class WindowEndInput(Schema):
    accept_schema = fields.Text(load_default=None, max_length=32)

"""Fields for schemas of requests: each takes what its column can hold, in one way of writing it.

Marshmallow's own change what they do not understand (1.9, true or "1_0" to an integer), or let it
through to the database.
"""

import re
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal as DecimalNumber
from typing import Any

from marshmallow import fields, validate

from chassis.core.limits import EARLIEST, INTEGER_MAX, INTEGER_MIN, LATEST
from chassis.schemas.cursor import Cursor
from chassis.schemas.strict import Parameter, StrictField, Value, listed
from chassis.schemas.text import Text

__all__ = [
    "UUID",
    "AwareDateTime",
    "Boolean",
    "Cursor",
    "Date",
    "Decimal",
    "Integer",
    "List",
    "Nested",
    "String",
    "Text",
]

String = fields.String  # For what is only sent.

INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,18})")
UUID_FORM = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
DATE_FORM = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# https://www.rfc-editor.org/rfc/rfc3339#section-5.6
HOUR_AND_MINUTE = "([01][0-9]|2[0-3]):[0-5][0-9]"  # Python's reader takes +00:99.
MOMENT_FORM = re.compile(
    rf"{DATE_FORM.pattern}T{HOUR_AND_MINUTE}:[0-5][0-9](\.[0-9]{{1,6}})?(Z|[+-]{HOUR_AND_MINUTE})",
    re.IGNORECASE,
)


class List(StrictField[Any], fields.List[Any]):
    pass


class Nested(StrictField[Any], fields.Nested):
    pass


class Integer(StrictField[int], fields.Integer):
    """As PostgreSQL's integer; for a bigint, give BIG_INTEGER_MIN and BIG_INTEGER_MAX."""

    def __init__(
        self, *, minimum: int = INTEGER_MIN, maximum: int = INTEGER_MAX, **options: Any
    ) -> None:
        rules = [validate.Range(minimum, maximum), *listed(options.pop("validate", ()))]
        super().__init__(validate=rules, **options)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        if isinstance(value, Parameter) and INTEGER.fullmatch(value):
            return int(value)
        if type(value) is not int:  # A bool is one, too.
            raise self.make_error("invalid")
        return value


class Decimal(StrictField[DecimalNumber], fields.Decimal):
    """As PostgreSQL's numeric(digits, places); in JSON a string, since a number loses places."""

    def __init__(self, *, digits: int, places: int, **options: Any) -> None:
        fraction = rf"(\.[0-9]{{1,{places}}})?" if places else ""
        self._form = re.compile(rf"-?(0|[1-9][0-9]{{0,{digits - places - 1}}}){fraction}")
        about = {"type": "string", "pattern": f"^{self._form.pattern}$"}
        about |= options.pop("metadata", {})
        super().__init__(places=places, as_string=True, metadata=about, **options)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> DecimalNumber:
        if not isinstance(value, str) or not self._form.fullmatch(value):
            raise self.make_error("invalid")
        return DecimalNumber(value)


class Boolean(StrictField[bool], fields.Boolean):
    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool:
        if isinstance(value, Parameter) and value in {"true", "false"}:
            return value == "true"
        if not isinstance(value, bool):
            raise self.make_error("invalid")
        return value


class AwareDateTime(StrictField[datetime], fields.AwareDateTime):
    """A moment, in UTC inside and in answers. RFC 3339, down to microseconds."""

    default_error_messages = {"invalid": "Not a time with its offset, as 2026-01-31T12:00:00Z."}

    def __init__(self, **options: Any) -> None:
        rules = [validate.Range(EARLIEST, LATEST), *listed(options.pop("validate", ()))]
        super().__init__(validate=rules, **options)

    def _serialize(self, value: datetime | None, *_: Any, **__: Any) -> str | None:
        return None if value is None else value.astimezone(UTC).isoformat()

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> datetime:
        moment = _read(self, MOMENT_FORM, datetime.fromisoformat, value)
        if not EARLIEST <= moment <= LATEST:
            return moment  # For the rule to refuse: in UTC it may have no year.
        return moment.astimezone(UTC)


class Date(StrictField[date], fields.Date):
    def _deserialize(self, value: Any, *_: Any, **__: Any) -> date:
        return _read(self, DATE_FORM, date.fromisoformat, value)


class UUID(StrictField[uuid.UUID], fields.UUID):
    default_error_messages = {"invalid": "Not a valid UUID."}

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> uuid.UUID:
        return _read(self, UUID_FORM, uuid.UUID, value)


def _read(field: Any, form: re.Pattern[str], read: Callable[[str], Value], value: Any) -> Value:
    """Python's readers take more forms than one."""
    try:
        if isinstance(value, str) and form.fullmatch(value):
            return read(value.upper())
    except ValueError:  # The 31st of February.
        pass
    raise field.make_error("invalid")

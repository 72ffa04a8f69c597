"""Fields for schemas of requests: each accepts what its column can hold, in one spelling.

Marshmallow's own fields convert other values (1.9, true or "1_0" to an integer), or pass them on to
the database.
"""

import re
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal as DecimalNumber
from typing import Any

from marshmallow import fields, validate

from chassis.core import rules
from chassis.core.errors import DeclarationError
from chassis.core.limits import EARLIEST, INTEGER_MAX, INTEGER_MIN, LATEST
from chassis.core.model import declarations
from chassis.schemas.cursor import Cursor
from chassis.schemas.ruled import Choice, Email, JsonObject, Url
from chassis.schemas.strict import Bounds, Parameter, StrictField, Value, listed
from chassis.schemas.text import Text

__all__ = [
    "UUID",
    "AwareDateTime",
    "Boolean",
    "Choice",
    "Cursor",
    "Date",
    "Decimal",
    "Email",
    "Integer",
    "JsonObject",
    "List",
    "Nested",
    "String",
    "Text",
    "Time",
    "Url",
    "of",
]

String = fields.String  # For fields of responses only.

INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,18})")
DECIMAL_PATTERN = re.compile(
    r"\^-\?\(0(?:\|\[1-9]\[0-9]\{0,(\d+)})?\)(?:\(\\\.\[0-9]\{1,(\d+)}\)\?)?\$"
)
UUID_FORM = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
DATE_FORM = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
TIME_FORM = re.compile(r"([01][0-9]|2[0-3])(:[0-5][0-9]){2}(\.[0-9]{1,6})?")
# https://www.rfc-editor.org/rfc/rfc3339#section-5.6
HOUR_AND_MINUTE = "([01][0-9]|2[0-3]):[0-5][0-9]"  # `fromisoformat` accepts +00:99.
MOMENT_FORM = re.compile(
    rf"{DATE_FORM.pattern}T{HOUR_AND_MINUTE}:[0-5][0-9](\.[0-9]{{1,6}})?(Z|[+-]{HOUR_AND_MINUTE})",
    re.IGNORECASE,
)


class List(StrictField[Any], fields.List[Any]):
    def __init__(
        self, inner: Any, *, min_length: int = 0, max_length: int | None = None, **options: Any
    ) -> None:
        lengths = [] if max_length is None else [validate.Length(min_length or None, max_length)]
        checks = [*lengths, *listed(options.pop("validate", ()))]
        super().__init__(inner, validate=checks, **options)


class Nested(StrictField[Any], fields.Nested):
    pass


class Integer(StrictField[int], fields.Integer):
    """PostgreSQL's integer; for a bigint, pass BIG_INTEGER_MIN and BIG_INTEGER_MAX."""

    def __init__(
        self, *, minimum: int = INTEGER_MIN, maximum: int = INTEGER_MAX, **options: Any
    ) -> None:
        self.bounds = minimum, maximum
        rules = [validate.Range(minimum, maximum), *listed(options.pop("validate", ()))]
        super().__init__(validate=rules, **options)
        self.error_messages["invalid"] = f"Must be an integer from {minimum} to {maximum}."

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        if isinstance(value, Parameter) and INTEGER.fullmatch(value):
            return int(value)
        if type(value) is not int:  # In Python, a bool is an integer too.
            raise self.make_error("invalid")
        return value


class Decimal(StrictField[DecimalNumber], fields.Decimal):
    """PostgreSQL's numeric(digits, places). A string in JSON, where numbers lose digits."""

    def __init__(
        self,
        *,
        digits: int,
        places: int,
        minimum: DecimalNumber | int | None = None,
        maximum: DecimalNumber | int | None = None,
        **options: Any,
    ) -> None:
        self.room = digits - places, places
        # `decimal_room` reads this form.
        fraction = rf"(\.[0-9]{{1,{places}}})?" if places else ""
        whole = rf"[1-9][0-9]{{0,{digits - places - 1}}}" if digits > places else ""
        self._form = re.compile(rf"-?(0{'|' if whole else ''}{whole}){fraction}")
        if any(isinstance(rule, validate.Range) for rule in listed(options.get("validate", ()))):
            raise DeclarationError(
                "A Decimal is a text in JSON, so a Range would make the document invalid: give it "
                "minimum= and maximum= instead."
            )
        bounds = Bounds(minimum, maximum)
        about = {"type": "string", "pattern": f"^{self._form.pattern}$", **bounds.described()}
        about |= options.pop("metadata", {})
        checks = [bounds, *listed(options.pop("validate", ()))]
        super().__init__(places=places, as_string=True, metadata=about, validate=checks, **options)
        most = f"{digits - places} digits before the point and {places} behind it"
        self.error_messages["invalid"] = (
            f"Must be a number in a text, with at most {most}."
            if places
            else f"Must be a whole number in a text, with at most {digits} digits."
        )

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
    """A date and time with an offset (RFC 3339, to the microsecond), stored and sent in UTC."""

    default_error_messages = {"invalid": "Not a time with its offset, as 2026-01-31T12:00:00Z."}

    def __init__(self, **options: Any) -> None:
        rules = [validate.Range(EARLIEST, LATEST), *listed(options.pop("validate", ()))]
        super().__init__(validate=rules, **options)

    def _serialize(self, value: datetime | None, *_: Any, **__: Any) -> str | None:
        return None if value is None else value.astimezone(UTC).isoformat()

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> datetime:
        moment = _read(self, MOMENT_FORM, datetime.fromisoformat, value)
        if not EARLIEST <= moment <= LATEST:
            return moment  # The rule rejects it: its year in UTC may be out of range.
        return moment.astimezone(UTC)


class Date(StrictField[date], fields.Date):
    def _deserialize(self, value: Any, *_: Any, **__: Any) -> date:
        return _read(self, DATE_FORM, date.fromisoformat, value)


class Time(StrictField[time], fields.Time):
    """A time of day, without an offset."""

    default_error_messages = {"invalid": "Not a time of a day, as 12:30:00."}

    def __init__(self, **options: Any) -> None:
        about = {"pattern": f"^{TIME_FORM.pattern}$", **options.pop("metadata", {})}
        super().__init__(metadata=about, **options)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> time:
        return _read(self, TIME_FORM, time.fromisoformat, value)


class UUID(StrictField[uuid.UUID], fields.UUID):
    default_error_messages = {"invalid": "Not a valid UUID."}

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> uuid.UUID:
        return _read(self, UUID_FORM, uuid.UUID, value)


def decimal_room(pattern: object) -> tuple[int, int] | None:
    """The digits before and after the point, by the pattern of a Decimal; None for another."""
    match = DECIMAL_PATTERN.fullmatch(str(pattern))
    return (int(match[1] or -1) + 1, int(match[2] or 0)) if match else None


def _read(field: Any, form: re.Pattern[str], read: Callable[[str], Value], value: Any) -> Value:
    """Read one spelling only; Python's own functions accept several."""
    try:
        if isinstance(value, str) and form.fullmatch(value):
            return read(value.upper())
    except ValueError:  # Such as the 31st of February.
        pass
    raise field.make_error("invalid")


def of(entity_type: type, name: str, **options: Any) -> StrictField[Any]:
    """The schema's field for an entity's field, with its rule; `options` are marshmallow's.

    Raise DeclarationError for a name that the entity does not have, or a field without a rule.
    """
    declared = declarations(entity_type).get(name)
    if declared is None:
        raise DeclarationError(
            f"{entity_type.__name__} has no field {name!r} with a rule: name one "
            f"({', '.join(declarations(entity_type))}), or give the schema a field of its own."
        )
    if declared.nullable:
        options.setdefault("allow_none", True)
    return following(declared.rule, **options)


def following(rule: rules.Rule, **options: Any) -> StrictField[Any]:
    """The field that accepts what a rule allows."""
    for kind, make in FOLLOWING.items():
        if isinstance(rule, kind):
            made: StrictField[Any] = make(rule, options)
            return made
    raise DeclarationError(f"No schema field fits {rule!r}: give the schema a field of its own.")


def _decimal(rule: rules.Number, options: dict[str, Any]) -> Decimal:
    bounds = {"minimum": rule.minimum, "maximum": rule.maximum}
    return Decimal(digits=rule.digits, places=rule.places, **bounds, **options)


def _list(rule: rules.Items, options: dict[str, Any]) -> List:
    inner = following(rule.of)
    return List(inner, min_length=rule.minimum, max_length=rule.maximum, **options)


FOLLOWING: dict[type, Callable[[Any, dict[str, Any]], StrictField[Any]]] = {
    rules.Text: lambda rule, options: Text(
        min_length=rule.minimum, max_length=rule.maximum, **options
    ),
    rules.Email: lambda rule, options: Email(rule, **options),
    rules.Url: lambda rule, options: Url(rule, **options),
    rules.Integer: lambda rule, options: Integer(
        minimum=rule.minimum, maximum=rule.maximum, **options
    ),
    rules.Number: _decimal,
    rules.Choice: lambda rule, options: Choice(rule, **options),
    rules.JsonObject: lambda rule, options: JsonObject(rule, **options),
    rules.Items: _list,
    rules.Plain: lambda rule, options: PLAIN[rule.of](**options),
}
PLAIN: dict[type, type[StrictField[Any]]] = {
    bool: Boolean,
    date: Date,
    datetime: AwareDateTime,
    time: Time,
    uuid.UUID: UUID,
}

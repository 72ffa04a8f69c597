"""Fields that a rule of the domain describes completely."""

from enum import StrEnum
from typing import Any

from marshmallow import fields

from chassis.core import rules
from chassis.schemas.strict import StrictField


class RuledField(StrictField[Any]):
    """A field that accepts what its rule accepts."""

    default_error_messages = {"invalid": "Not valid.", "rule": "{sentence}"}
    about: dict[str, Any] = {}

    def __init__(self, rule: rules.Rule, **options: Any) -> None:
        self.rule = rule
        super().__init__(metadata={**self.about, **options.pop("metadata", {})}, **options)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        try:
            return self.rule.accept(value)
        except ValueError as error:
            sentence = str(error).replace("It is", "Must be", 1)
            raise self.make_error("rule", sentence=sentence) from None


class Email(RuledField, fields.String):
    """An e-mail address, in lower case, so that equal addresses are found and stay unique."""

    def __init__(self, rule: rules.Email | None = None, **options: Any) -> None:
        rule = rule or rules.Email()
        form = {"format": "email", "pattern": f"^{rules.EMAIL_FORM}$"}
        self.about = {"minLength": 1, "maxLength": rule.maximum, **form}
        super().__init__(rule, **options)


class Url(RuledField, fields.String):
    """An absolute URL with http or https, in ASCII."""

    def __init__(self, rule: rules.Url | None = None, **options: Any) -> None:
        rule = rule or rules.Url()
        form = {"format": "uri", "pattern": f"^{rules.URL_FORM}$"}
        self.about = {"minLength": 1, "maxLength": rule.maximum, **form}
        super().__init__(rule, **options)


class Choice(RuledField, fields.String):
    """A text of an enumeration; the loaded value is the member."""

    def __init__(self, of: type[StrEnum] | rules.Choice, **options: Any) -> None:
        rule = of if isinstance(of, rules.Choice) else rules.Choice(of)
        nothing = [None] if options.get("allow_none") else []
        self.about = {"enum": [*rule.values, *nothing]}
        super().__init__(rule, **options)

    def _serialize(self, value: Any, *_: Any, **__: Any) -> Any:
        return None if value is None else str(value)


class JsonObject(RuledField, fields.Dict):
    """A JSON object that PostgreSQL can hold, of limited size."""

    def __init__(self, rule: rules.JsonObject | None = None, **options: Any) -> None:
        rule = rule or rules.JsonObject()
        about = f"A JSON object of up to {rule.max_bytes} bytes and {rule.depth} levels."
        self.about = {
            "description": about,
            "x-maximum-bytes": rule.max_bytes,
            "x-maximum-depth": rule.depth,
        }
        super().__init__(rule, **options)

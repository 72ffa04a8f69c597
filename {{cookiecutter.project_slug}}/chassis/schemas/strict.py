"""What the fields of requests have in common."""

from collections.abc import Iterable
from typing import Any, Generic, TypeVar

from marshmallow import ValidationError, fields, validate

Value = TypeVar("Value")

RULES = {
    validate.Length: "length",
    validate.Range: "range",
    validate.OneOf: "choice",
    validate.Regexp: "pattern",
}


class Message(str):
    """What is wrong with a value: a sentence for people, and a code for programs."""

    __slots__ = ("code",)
    code: str

    def __new__(cls, text: str, code: str) -> "Message":
        message = super().__new__(cls, text)
        message.code = code
        return message

    def __getnewargs__(self) -> tuple[str, str]:  # type: ignore[override]
        """Schemas are copied."""
        return str(self), self.code


class Parameter(str):
    """Text from a query string, where numbers have no other form."""

    __slots__ = ()


class StrictField(fields.Field[Value], Generic[Value]):
    """Its errors have a code. What does not derive from it cannot be read from a request."""

    def make_error(self, key: str, **values: Any) -> ValidationError:
        error = super().make_error(key, **values)
        return ValidationError([Message(str(text), key) for text in error.messages])

    def _validate(self, value: Any) -> None:
        found: list[str] = []
        for rule in self.validators:
            code = next((code for kind, code in RULES.items() if isinstance(rule, kind)), "invalid")
            try:
                rule(value)
            except ValidationError as error:
                found += [Message(str(text), code) for text in error.messages]
        if found:
            raise ValidationError(found)


def listed(rules: Any) -> Iterable[Any]:
    return rules if isinstance(rules, Iterable) else [rules]

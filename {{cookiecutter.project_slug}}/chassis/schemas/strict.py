"""The base of all fields: limits, and errors with a code."""

from collections.abc import Iterable
from typing import Any, Generic, TypeVar

from marshmallow import ValidationError, fields, validate

from chassis.core.paging import Comparison

Value = TypeVar("Value")


class Bounds:
    """Bounds of a value that is a text in JSON, where the keyword `minimum` has no meaning."""

    def __init__(self, minimum: Any, maximum: Any) -> None:
        self.minimum, self.maximum = minimum, maximum

    def __call__(self, value: Any) -> None:
        low, high = self.minimum, self.maximum
        if (low is None or value >= low) and (high is None or value <= high):
            return
        if high is None:
            raise ValidationError(f"Must be {low} or more.")
        if low is None:
            raise ValidationError(f"Must be {high} or less.")
        raise ValidationError(f"Must be from {low} to {high}.")

    def described(self) -> dict[str, str]:
        bounds = {"x-minimum": self.minimum, "x-maximum": self.maximum}
        return {name: str(bound) for name, bound in bounds.items() if bound is not None}


RULES = {
    Bounds: "range",
    validate.Length: "length",
    validate.Range: "range",
    validate.OneOf: "choice",
    validate.Regexp: "pattern",
}


class Message(str):
    """An error of a value: a sentence for people, and a code for programs."""

    __slots__ = ("code",)
    code: str

    def __new__(cls, text: str, code: str) -> "Message":
        message = super().__new__(cls, text)
        message.code = code
        return message

    def __getnewargs__(self) -> tuple[str, str]:  # type: ignore[override]
        """Keep the code when a schema, with its messages, is copied."""
        return str(self), self.code


class Parameter(str):
    """A text from the query string, where numbers are texts too."""

    __slots__ = ()


class StrictField(fields.Field[Value], Generic[Value]):
    """The base of all fields; its errors have a code."""

    # The field that a filter compares. None means equality with the field of the same name.
    entity_type: type | None = None
    comparison: Comparison | None = None

    def make_error(self, key: str, **values: Any) -> ValidationError:
        error = super().make_error(key, **values)
        return ValidationError([Message(str(text), key) for text in error.messages])

    def _validate(self, value: Any) -> None:
        messages: list[str] = []
        for rule in self.validators:
            try:
                rule(value)
            except ValidationError as error:
                kinds = (code for kind, code in RULES.items() if isinstance(rule, kind))
                code = next(kinds, "invalid")
                messages += [Message(str(text), code) for text in error.messages]
        if messages:
            raise ValidationError(messages)


def listed(rules: Any) -> Iterable[Any]:
    return rules if isinstance(rules, Iterable) else [rules]

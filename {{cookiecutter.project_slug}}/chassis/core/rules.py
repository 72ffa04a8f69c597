"""Rules: what a field of an entity may hold. Entity, column and schema read the same rule.

price: Annotated[Decimal, Number(10, 2, minimum=0)]
"""

import json
import re
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Context, Decimal
from enum import StrEnum
from typing import Any

from chassis.core.limits import BIG_INTEGER_MAX, BIG_INTEGER_MIN, INTEGER_MAX, INTEGER_MIN

# RFC 5321, section 4.1.2, without quoted strings and address literals; a domain has a dot.
ATOM, LABEL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+", r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
EMAIL_FORM = rf"{ATOM}(\.{ATOM})*@{LABEL}(\.{LABEL})+"
LOCAL_PART = 64  # RFC 5321, section 4.5.3.1.1.
URL_FORM = r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?([/?#][!-~]*)?"


class Rule:
    """A subclass's `sentence` describes the allowed values without a subject: "is a bool"."""

    def accept(self, value: Any) -> Any:
        """The value in the form that is stored. Raise ValueError with a sentence for a caller."""
        if not self.holds(value):
            raise ValueError(f"It {self.sentence()}.")
        return value

    def holds(self, value: Any) -> bool:
        raise NotImplementedError

    def sentence(self) -> str:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Text(Rule):
    maximum: int
    minimum: int = 1

    def holds(self, value: Any) -> bool:
        return isinstance(value, str) and self.minimum <= len(value) <= self.maximum

    def sentence(self) -> str:
        return f"has {self.minimum} to {self.maximum} characters"


@dataclass(frozen=True, slots=True)
class Email(Rule):
    """An e-mail address, stored in lower case, so that equal addresses are equal texts."""

    maximum: int = 254  # https://www.rfc-editor.org/errata/eid1690

    def accept(self, value: Any) -> Any:
        if isinstance(value, str) and value.isascii():
            value = value.lower()
        return Rule.accept(self, value)

    def holds(self, value: Any) -> bool:
        return (
            isinstance(value, str)
            and len(value) <= self.maximum
            and re.fullmatch(EMAIL_FORM, value) is not None
            and value.index("@") <= LOCAL_PART
        )

    def sentence(self) -> str:
        return f"is an e-mail address of up to {self.maximum} characters"


@dataclass(frozen=True, slots=True)
class Url(Rule):
    """An absolute URL with http or https, in ASCII."""

    maximum: int = 2000

    def holds(self, value: Any) -> bool:
        return (
            isinstance(value, str)
            and len(value) <= self.maximum
            and re.fullmatch(URL_FORM, value) is not None
        )

    def sentence(self) -> str:
        return f"is an http or https URL of up to {self.maximum} ASCII characters"


@dataclass(frozen=True, slots=True)
class Integer(Rule):
    """An integer. `is_big` is true if a bound needs more than four bytes."""

    minimum: int = INTEGER_MIN
    maximum: int = INTEGER_MAX

    @property
    def is_big(self) -> bool:
        return self.minimum < INTEGER_MIN or self.maximum > INTEGER_MAX

    def holds(self, value: Any) -> bool:
        return type(value) is int and self.minimum <= value <= self.maximum

    def sentence(self) -> str:
        return f"is an integer from {self.minimum} to {self.maximum}"


@dataclass(frozen=True)
class Number(Rule):
    """An exact decimal number of `digits` digits, `places` of them behind the point."""

    digits: int
    places: int
    minimum: Decimal | int | None = None
    maximum: Decimal | int | None = None

    def accept(self, value: Any) -> Any:
        """The number as it is read back: with all its places, zero without a sign."""
        step, context = Decimal(1).scaleb(-self.places), Context(prec=max(1, self.digits))
        number: Decimal = Rule.accept(self, value).quantize(step, context=context)
        return number or abs(number)

    def holds(self, value: Any) -> bool:
        if not isinstance(value, Decimal) or not value.is_finite():
            return False
        exponent = value.as_tuple().exponent
        return (
            -int(exponent) <= self.places
            and abs(value) < 10 ** (self.digits - self.places)
            and (self.minimum is None or self.minimum <= value)
            and (self.maximum is None or value <= self.maximum)
        )

    def sentence(self) -> str:
        bounds = [
            f" {words} {bound}"
            for words, bound in (("from", self.minimum), ("to", self.maximum))
            if bound is not None
        ]
        whole = self.digits - self.places
        return f"is a number of {whole} digits and {self.places} places{''.join(bounds)}"


@dataclass(frozen=True, slots=True)
class Choice(Rule):
    """A member of an enumeration of texts."""

    of: type[StrEnum]

    @property
    def values(self) -> list[str]:
        return [member.value for member in self.of]

    def accept(self, value: Any) -> Any:
        if isinstance(value, str) and value in self.values:
            return self.of(value)
        return Rule.accept(self, value)

    def holds(self, value: Any) -> bool:
        return isinstance(value, self.of)

    def sentence(self) -> str:
        return f"is one of {', '.join(self.values)}"


@dataclass(frozen=True, slots=True)
class Plain(Rule):
    """A value of one type: bool, date, datetime with its offset, time without, or UUID."""

    of: type

    def holds(self, value: Any) -> bool:
        if not isinstance(value, self.of):
            return False
        if isinstance(value, datetime):
            return self.of is datetime and value.tzinfo is not None
        return not isinstance(value, time) or value.tzinfo is None

    def sentence(self) -> str:
        return f"is a {self.of.__name__}"


@dataclass(frozen=True, slots=True)
class JsonObject(Rule):
    """A JSON object that is read back as it was stored.

    The object has no NUL, and no number beyond 64 bits, which JSON writers refuse.
    """

    max_bytes: int = 10_000
    depth: int = 8

    def accept(self, value: Any) -> Any:
        return _as_stored(Rule.accept(self, value))

    def holds(self, value: Any) -> bool:
        if not isinstance(value, dict) or not _fits(value, self.depth):
            return False
        return len(json.dumps(value, ensure_ascii=False).encode()) <= self.max_bytes

    def sentence(self) -> str:
        return (
            f"is a JSON object of up to {self.max_bytes} bytes and {self.depth} levels, without "
            "NUL or half a surrogate pair, its numbers within 64 bits"
        )


@dataclass(frozen=True, slots=True)
class Items(Rule):
    """A list of values that each follow the same rule."""

    of: Rule
    maximum: int
    minimum: int = 0

    def accept(self, value: Any) -> Any:
        return [self.of.accept(one) for one in Rule.accept(self, value)]

    def holds(self, value: Any) -> bool:
        return isinstance(value, list) and self.minimum <= len(value) <= self.maximum

    def sentence(self) -> str:
        return f"has {self.minimum} to {self.maximum} items"


def _fits(value: Any, depth: int) -> bool:
    if isinstance(value, dict):
        return depth > 0 and all(
            is_text(key) and _fits(one, depth - 1) for key, one in value.items()
        )
    if isinstance(value, list):
        return depth > 0 and all(_fits(one, depth - 1) for one in value)
    if isinstance(value, int | float):
        return BIG_INTEGER_MIN <= value <= BIG_INTEGER_MAX
    return value is None or is_text(value)


def _as_stored(value: Any) -> Any:
    """The value as it is read back: keys by length and bytes, numbers without an exponent.

    Otherwise the entity that was created would differ from the one that is read.
    """
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: (len(key.encode()), key.encode()))
        return {key: _as_stored(value[key]) for key in keys}
    if isinstance(value, list):
        return [*map(_as_stored, value)]
    if isinstance(value, float):
        return int(value) if "e+" in repr(value) else value + 0.0  # -0.0 + 0.0 is 0.0.
    return value


def is_text(value: Any) -> bool:
    """Whether the value is a string without NUL and without half of a surrogate pair."""
    if not isinstance(value, str):
        return False
    return not any(character == "\0" or "\ud800" <= character <= "\udfff" for character in value)

from typing import Any
from unicodedata import combining, normalize

from marshmallow import fields, validate

from chassis.core.rules import is_text
from chassis.schemas.strict import StrictField, listed

# Combining marks in a row: https://www.unicode.org/reports/tr15/#Stream_Safe_Text_Format
MOST_MARKS = 30


class Text(StrictField[str], fields.String):
    """A text in Unicode's normal form C, so that equal-looking texts are equal, and without NUL.

    https://www.postgresql.org/docs/current/datatype-character.html
    """

    default_error_messages = {
        "character": "Must not contain NUL or half of a surrogate pair.",
        "marks": f"Must not pile up more than {MOST_MARKS} combining marks.",
        "length": "Longer than maximum length {max}.",
    }

    def __init__(self, *, min_length: int = 1, max_length: int, **options: Any) -> None:
        self.max_length = max_length
        rules = [validate.Length(min_length, max_length), *listed(options.pop("validate", ()))]
        about = {"pattern": r"^[^\u0000]*$", **options.pop("metadata", {})}
        super().__init__(validate=rules, metadata=about, **options)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        if not isinstance(value, str):
            raise self.make_error("invalid")
        if value.isascii() and "\0" not in value:
            return value
        if len(value) > 4 * self.max_length:  # NFC composes at most four code points into one.
            raise self.make_error("length", max=self.max_length)
        if not is_text(value):
            raise self.make_error("character")
        if _piled_up(value):  # Normalising takes time that grows with the square of their number.
            raise self.make_error("marks")
        return normalize("NFC", value)


def _piled_up(text: str) -> bool:
    marks = 0
    for character in text:
        marks = marks + 1 if combining(character) else 0
        if marks > MOST_MARKS:
            return True
    return False

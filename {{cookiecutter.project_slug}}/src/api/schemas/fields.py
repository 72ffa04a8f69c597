"""Fields whose values marshmallow's own would let through to the database, or not read."""

from typing import Any
from uuid import UUID

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer
from marshmallow import fields, validate


class Text(fields.String):
    """Text that PostgreSQL can store: of a bounded length, in UTF-8 and without NUL.

    https://www.postgresql.org/docs/current/datatype-character.html
    """

    default_error_messages = {"character": "Must not contain NUL or half of a surrogate pair."}

    def __init__(self, *, min_length: int = 1, max_length: int, **options: Any) -> None:
        super().__init__(validate=validate.Length(min_length, max_length), **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **options)
        if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
            raise self.make_error("character")
        return text


class Cursor(fields.Field[UUID]):
    """Where a page ended, a UUID: signed, so that only what was handed out is taken back."""

    default_error_messages = {"invalid": "Not a cursor that was handed out."}

    def _serialize(self, value: UUID | None, *_: Any, **__: Any) -> str | None:
        return None if value is None else _signer().dumps(value.hex)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> UUID:
        try:
            return UUID(_signer().loads(value))
        except (BadSignature, ValueError, TypeError) as error:
            raise self.make_error("invalid") from error


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="cursor")

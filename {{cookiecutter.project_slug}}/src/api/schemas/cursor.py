from functools import cache
from typing import Any

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer

from src.api.schemas.strict import StrictField


class Cursor(StrictField[Any]):
    """Where a page ended, as JSON: signed, so that only what was handed out is taken back."""

    default_error_messages = {"cursor": "Not a cursor that was handed out."}

    def _serialize(self, value: Any, *_: Any, **__: Any) -> str | None:
        return None if value is None else str(_signer(current_app.secret_key).dumps(value))

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        try:
            return _signer(current_app.secret_key).loads(value)
        except (BadSignature, ValueError, TypeError) as error:
            raise self.make_error("cursor") from error


@cache
def _signer(key: str) -> URLSafeSerializer:
    return URLSafeSerializer(key, salt="cursor")

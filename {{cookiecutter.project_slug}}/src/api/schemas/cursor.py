import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import cache
from typing import Any

import orjson
from flask import current_app

from src.api.schemas.strict import StrictField


class Cursor(StrictField[Any]):
    """Where a page ended, as JSON: signed, so that only what was handed out is taken back."""

    default_error_messages = {"cursor": "Not a cursor that was handed out."}

    def _serialize(self, value: Any, *_: Any, **__: Any) -> str | None:
        if value is None:
            return None
        told = urlsafe_b64encode(orjson.dumps(value))
        return f"{told.decode()}.{_mac(told)}"

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        told, _dot, mac = str(value).encode(errors="surrogatepass").rpartition(b".")
        if not hmac.compare_digest(_mac(told).encode(), mac):
            raise self.make_error("cursor")
        return orjson.loads(urlsafe_b64decode(told))


def _mac(told: bytes) -> str:
    return hmac.digest(_key(str(current_app.secret_key)), told, "sha256").hex()


@cache
def _key(secret: str) -> bytes:
    return hmac.digest(secret.encode(), b"cursor", "sha256")

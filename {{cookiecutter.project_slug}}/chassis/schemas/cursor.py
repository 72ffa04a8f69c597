from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import cache
from typing import Any

import orjson
from flask import current_app

from chassis.core.signing import Signer
from chassis.schemas.strict import StrictField


class Cursor(StrictField[Any]):
    """The position where a page ended, as signed JSON, so that clients cannot make their own."""

    default_error_messages = {"cursor": "Must be a cursor from an earlier page."}

    def _serialize(self, value: Any, *_: Any, **__: Any) -> str | None:
        if value is None:
            return None
        return _signer().sign(urlsafe_b64encode(orjson.dumps(value)).decode())

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        text = _signer().verified(str(value))
        if text is None:
            raise self.make_error("cursor")
        return orjson.loads(urlsafe_b64decode(text))


def _signer() -> Signer:
    return _signer_with(str(current_app.secret_key))


@cache
def _signer_with(secret: str) -> Signer:
    return Signer(secret, "cursor")

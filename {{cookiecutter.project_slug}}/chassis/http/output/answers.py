"""What a view returned becomes a response."""

from decimal import Decimal
from typing import Any

import orjson
from flask import Response
from flask_smorest.utils import unpack_tuple_response

from chassis.http.input.parser import JSON
from chassis.http.output.etags import complete
from chassis.schemas.serializer import Serializer


def answer(returned: Any, status: int, serialize: Serializer | None) -> Response:
    """Of what a view returned: an entity, or one with another status, headers or both.

    Raise TypeError for what is not JSON, as an integer beyond 64 bits, or a key that is no string.
    """
    found, other_status, headers = unpack_tuple_response(returned)
    if isinstance(found, Response):
        return found
    body = represented(found, serialize)
    response = Response(body, other_status or status, headers, content_type=JSON)
    complete(response, body, found)
    return response


def represented(found: Any, serialize: Serializer | None) -> bytes:
    told = serialize(found) if serialize else found
    return b"" if told is None else orjson.dumps(told, default=_decimal)


def _decimal(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not JSON: give it a field of its own.")

"""Makes a response of what a view returned."""

from decimal import Decimal
from typing import Any

import orjson
from flask import Response
from flask_smorest.utils import unpack_tuple_response

from chassis.http.fast.prepared_response import json_response
from chassis.http.output.etags import entity_tag, is_with_caller
from chassis.schemas.serializer import Serializer


def answer(returned: Any, status: int, serialize: Serializer | None) -> Response:
    """The response for an entity, or for a tuple of entity, status and headers.

    Raise TypeError for a value that JSON cannot hold, such as an integer beyond 64 bits.
    """
    value, other_status, headers = returned, None, None
    if type(returned) is tuple:
        value, other_status, headers = unpack_tuple_response(returned)
    if isinstance(value, Response):
        return value
    body = represented(value, serialize)
    tag = entity_tag(value, body)
    response = json_response(body, other_status or status, headers, tag)
    if tag and is_with_caller(tag):
        response.status_code = 304
    return response


def represented(value: Any, serialize: Serializer | None) -> bytes:
    serialized = serialize(value) if serialize else value
    return b"" if serialized is None else orjson.dumps(serialized, default=_decimal)


def _decimal(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not JSON: convert it in a schema field.")

"""The one place where answers are made; of errors, problem details (RFC 9457)."""

from decimal import Decimal
from http import HTTPStatus
from typing import Any

import orjson
from flask import Response, g, json, request
from flask_smorest.utils import unpack_tuple_response

from chassis.http.fast.prepared_response import json_response
from chassis.http.output.etags import entity_tag, is_with_caller
from chassis.schemas.serializer import Serializer

PROBLEM_JSON = "application/problem+json"
# Seconds after which asking again may help; a 503 always says so.
RETRY_AFTER = 2


def problem(
    status: int,
    slug: str,
    detail: str,
    *,
    errors: list[dict[str, str]] | None = None,
    headers: dict[str, str] | None = None,
    **more: Any,
) -> Response:
    """`slug` names the kind; each of `errors` has a pointer or parameter, and a detail."""
    body: dict[str, Any] = {
        "type": slug,
        "title": slug.replace("-", " ").capitalize(),
        "status": status,
        "detail": detail,
        "instance": request.path,
        "request_id": g.get("request_id"),
    }
    if errors:
        body["errors"] = errors
    response = Response(json.dumps(body | more), status, headers, content_type=PROBLEM_JSON)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers.setdefault("Retry-After", str(RETRY_AFTER))
    return response


def answer(returned: Any, status: int, serialize: Serializer | None) -> Response:
    """Of what a view returned: an entity, or one with another status, headers or both.

    Raise TypeError for what is not JSON, as an integer beyond 64 bits, or a key that is no string.
    """
    found, other_status, headers = returned, None, None
    if type(returned) is tuple:
        found, other_status, headers = unpack_tuple_response(returned)
    if isinstance(found, Response):
        return found
    body = represented(found, serialize)
    tag = entity_tag(found, body)
    response = json_response(body, other_status or status, headers, tag)
    if tag and is_with_caller(tag):
        response.status_code = 304
    return response


def represented(found: Any, serialize: Serializer | None) -> bytes:
    told = serialize(found) if serialize else found
    return b"" if told is None else orjson.dumps(told, default=_decimal)


def _decimal(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not JSON: give it a field of its own.")


def created(entity: Any, location: str) -> tuple[Any, dict[str, str]]:
    """The answer to a POST that made something, and where it is (RFC 9110, section 15.3.2)."""
    return entity, {"Location": location}

"""Redaction: removes the values of the present request from texts for operators."""

import json
import re
from collections.abc import Iterator
from typing import Any
from unicodedata import normalize
from urllib.parse import parse_qsl, quote, unquote

from flask import Request, current_app

from chassis.core.request_scope import current_scope
from chassis.http.input.parser import body_as_read
from chassis.http.input.strict_json import read_json
from chassis.settings import MASK

SHORT = 4  # Characters. A shorter value is masked only where it is a whole word.
# Values that every client sends, and that logs need to be understood.
PUBLIC = {"host", "accept", "connection", "origin", "close", "keep-alive", "http", "https", "get"}
PUBLIC |= {"post", "put", "patch", "delete", "bearer", "gzip", "localhost", "127.0.0.1"}
PLAIN = re.compile(r"[\w.~/-]*[A-Za-z0-9][\w.~/-]*", re.ASCII)  # No encoding changes such a text.
# Runs of characters that no encoding changes.
SAME = re.compile(r"""[^"'\\\x00-\x1f\x7f-\U0010ffff]+""")
PART = re.compile(r"""[^\s,;:&=()<>\[\]{}"']+""")


def mask_sent(text: str) -> str:
    """The text with every value of the present request masked, in every encoding."""
    if not text or current_scope().request is None:
        return text
    lower = text.lower()
    forms = [form for form in _head() | _body() if form.lower() in lower]
    if not forms:
        return text
    # All in one pass, the longest first, so that no mask is masked again.
    pattern = "|".join(map(_pattern, sorted(forms, key=len, reverse=True)))
    return re.sub(pattern, MASK, text, flags=re.IGNORECASE)


def _head() -> set[str]:
    scope = current_scope()
    if "head" not in scope.masks:
        scope.masks["head"] = _forms_of(_values(scope.request, scope.request_id))
    return scope.masks["head"]


def _body() -> set[str]:
    """The values of the body, if it was read: a log line does not wait for a body."""
    scope = current_scope()
    body = body_as_read(scope.request)
    if body is None:
        return set()
    if "body" not in scope.masks:
        scope.masks["body"] = _forms_of(_of_body(body))
    return scope.masks["body"]


def _forms_of(values: Iterator[str]) -> set[str]:
    return {form for value in set(values) for form in _forms(value)}


def _pattern(value: str) -> str:
    exactly = re.escape(value)
    return exactly if len(value) >= SHORT else rf"(?<!\w){exactly}(?!\w)"


def _forms(value: str) -> Iterator[str]:
    if value.lower() in PUBLIC:
        return
    if PLAIN.fullmatch(value):
        yield value
        return
    for form in (value, unquote(value), normalize("NFC", value)):
        for written in (
            form,
            repr(form)[1:-1],
            json.dumps(form)[1:-1],
            quote(form, errors="ignore"),
            *map(str.strip, SAME.findall(form)),
        ):
            if len(written) >= SHORT or any(map(str.isalnum, written)):
                yield written


def _values(request: Request, request_id: str | None) -> Iterator[str]:
    yield from (request.method, request.path, request.environ.get("HTTP_HOST", ""))
    for name, value in request.headers:
        if value != request_id:  # The id is restricted in form, and may be shown.
            yield from (name, value, *PART.findall(value))
    if credentials := request.authorization:
        yield from (str(value) for value in (credentials.parameters or {}).values())
    if request.url_rule:
        yield from map(str, (request.view_args or {}).values())
    else:
        yield from PART.findall(request.path.replace("/", " "))
    query = request.query_string.decode(errors="replace")
    for name, value in parse_qsl(query, keep_blank_values=True):
        yield from (name, value) if name not in _published() else (value,)
    yield from (part for part in PART.findall(query) if part not in _published())


def _published() -> frozenset[str]:
    """Names of fields and parameters, which openapi.json publishes anyway."""
    extensions = current_app.extensions
    if "published-names" not in extensions:
        apis = extensions.get("flask-smorest", {}).get("apis", {}).values()
        names = (name for api in apis for name in _names(api["ext_obj"].spec.to_dict()))
        extensions["published-names"] = frozenset(names)
    published: frozenset[str] = extensions["published-names"]
    return published


def _names(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        properties = part.get("properties")
        yield from properties if isinstance(properties, dict) else ()
        if part.get("in") == "query":
            yield part["name"]
        for inner in part.values():
            yield from _names(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _names(inner)


def _of_body(body: bytes) -> Iterator[str]:
    try:
        yield from _leaves(read_json(body))
    except ValueError:
        yield from PART.findall(body.decode(errors="replace"))


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in _published():
                yield name
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield str(value)

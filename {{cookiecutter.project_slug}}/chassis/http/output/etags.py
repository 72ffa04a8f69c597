"""ETag, If-Match and If-None-Match (RFC 9110, sections 8.8.3 and 13).

A tag is the entity's version with a checksum of its representation. A migration or a new release
may change the representation without the version. If-Match accepts the version alone: `"3"`.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from uuid import UUID
from zlib import crc32

from flask import Request, current_app
from flask.globals import request_ctx
from werkzeug.exceptions import HTTPException

from chassis.core.errors import PreconditionFailedError
from chassis.core.request_scope import Attempt, current_scope
from chassis.http.flow.view_functions import view_of
from chassis.http.input.parser import InvalidRequestError

READS = {"GET", "HEAD"}
CONDITIONS = {"HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH"}
TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
VERSION = re.compile(r"(\d{1,10})(?:-([0-9a-f]{8}))?")


class _Every:
    def match(self, *_: object) -> bool:
        return True


class _Tags:
    """The tags of a header: by version, their checksums; "" for a version alone."""

    def __init__(self, tags: list[str] | None = None) -> None:
        self._checksums: dict[int, set[str]] = defaultdict(set)
        for tag in tags or ():
            if match := VERSION.fullmatch(tag):
                self._checksums[int(match[1])].add(match[2] or "")

    def match(self, version: int, entity: object) -> bool:
        """Whether a tag matches. Without the entity, only the version is compared."""
        checksums = self._checksums.get(version, set())
        if not checksums or "" in checksums or entity is None:
            return bool(checksums)
        return any(_checksum(represent(entity)) in checksums for represent in _representations())


EVERY = _Every()


def attempt_of(request: Request) -> Attempt:
    """Return the attempt: the version that the request expects of the last entity in its URL.

    Raise InvalidRequestError for a malformed header, PreconditionFailedError for If-Match on
    a URL without an entity.
    """
    if CONDITIONS.isdisjoint(request.environ):
        return Attempt(None, expects=None)
    named = [value for value in (request.view_args or {}).values() if isinstance(value, UUID)]
    wanted = _tags(request, "If-Match", otherwise=EVERY)
    unwanted = _tags(request, "If-None-Match", otherwise=_Tags())
    if request.method in READS:
        unwanted = _Tags()  # For reads it is not a condition: see `is_with_caller`.
    elif wanted is not EVERY and not named:
        raise PreconditionFailedError("This resource has no version to compare with.")
    return Attempt(
        named[-1] if named else None,
        expects=lambda *present: wanted.match(*present) and not unwanted.match(*present),
    )


def entity_tag(entity: object, body: bytes) -> str | None:
    """The entity's tag, without quotes; None if the entity has no version."""
    version = getattr(entity, "version", None)
    return f"{version}-{_checksum(body)}" if isinstance(version, int) else None


def is_with_caller(tag: str) -> bool:
    """Whether If-None-Match has this tag: then a 304 answers the read."""
    request: Request = current_scope().request
    if "HTTP_IF_NONE_MATCH" not in request.environ or request.method not in READS:
        return False
    return request.if_none_match.contains_weak(tag)


def _checksum(body: bytes) -> str:
    return f"{crc32(body):08x}"


def _representations() -> Iterator[Callable[[object], bytes]]:
    """Functions that represent the entity: of a GET on this URL, and of this operation."""
    request, adapter = current_scope().request, request_ctx.url_adapter
    endpoints = [(str(request.endpoint), request.method)]
    with suppress(HTTPException):  # A URL for an action has no GET.
        endpoints.append((adapter.match(method="GET")[0], "GET"))  # type: ignore[union-attr]
    for endpoint, method in dict.fromkeys(endpoints):
        if represent := getattr(view_of(current_app, endpoint, method), "represent", None):
            yield represent


def _tags(request: Request, name: str, *, otherwise: _Tags | _Every) -> _Tags | _Every:
    """The tags in a header. If-Match never matches a weak tag."""
    value = request.headers.get(name)
    if value is None:
        return otherwise
    if value.strip() == "*":
        return EVERY
    parts = TAG.sub('""', value).split(",")
    if '""' not in map(str.strip, parts) or any(part.strip() not in {"", '""'} for part in parts):
        raise InvalidRequestError(
            [{"parameter": name, "detail": "Must be * or a list of entity tags.", "code": "tags"}],
            "invalid-header",
        )
    return _Tags([tag for weak, tag in TAG.findall(value) if not weak or name == "If-None-Match"])

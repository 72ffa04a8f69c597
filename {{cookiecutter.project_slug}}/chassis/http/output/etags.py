"""ETag, If-Match and If-None-Match (RFC 9110, sections 8.8.3 and 13).

A tag is the entity's version with a checksum of what represents it, because a migration or a new
release may change the one without the other. In If-Match the version alone, `"3"`, will do.
"""

import re
from collections.abc import Container
from uuid import UUID
from zlib import crc32

from flask import Response, request

from chassis.core.attempt import Attempt
from chassis.core.errors import PreconditionFailedError
from chassis.http.flow.current_request import present_request
from chassis.http.input.parser import InvalidRequestError

READS = {"GET", "HEAD"}
CONDITIONS = {"HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH"}
TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
VERSION = re.compile(r"(\d{1,10})(?:-[0-9a-f]{8})?")


class _Every:
    def __contains__(self, _: object) -> bool:
        return True


EVERY = _Every()


def attempt() -> Attempt:
    """Which version the request expects of the entity that its URL names; the last, of several.

    Raise InvalidRequestError if that cannot be read, PreconditionFailedError if there is none.
    """
    asked = present_request()
    named = [value for value in (asked.view_args or {}).values() if isinstance(value, UUID)]
    if CONDITIONS.isdisjoint(asked.environ):
        return Attempt(named[-1] if named else None, expects=EVERY.__contains__)
    wanted = _versions("If-Match", otherwise=EVERY)
    unwanted = _versions("If-None-Match", otherwise=())
    if asked.method in READS:
        unwanted = ()  # Then it means something else: see `complete`.
    elif wanted is not EVERY and not named:
        raise PreconditionFailedError("This has no version that could be expected.")
    return Attempt(
        entity_id=named[-1] if named else None,
        expects=lambda version: version in wanted and version not in unwanted,
    )


def complete(response: Response, body: bytes, entity: object) -> None:
    """Tell its version, if it has one; and leave out the body where the caller already has it."""
    version = getattr(entity, "version", None)
    if isinstance(version, int):
        tag = f"{version}-{crc32(body):08x}"
        response.headers.add("ETag", f'"{tag}"')
        asked = present_request()
        known = asked.method in READS and asked.environ.get("HTTP_IF_NONE_MATCH")
        if known and asked.if_none_match.contains_weak(tag):
            response.status_code = 304


def _versions(name: str, *, otherwise: Container[int]) -> Container[int]:
    """Those whose tags are in the header. A weak tag is none that If-Match could match."""
    value = request.headers.get(name)
    if value is None:
        return otherwise
    if value.strip() == "*":
        return EVERY
    parts = TAG.sub('""', value).split(",")
    if '""' not in map(str.strip, parts) or any(part.strip() not in {"", '""'} for part in parts):
        raise InvalidRequestError(
            [{"parameter": name, "detail": "Neither * nor a list of entity tags.", "code": "tags"}],
            "invalid-header",
        )
    tags = [tag for weak, tag in TAG.findall(value) if not weak or name == "If-None-Match"]
    return {int(found[1]) for tag in tags if (found := VERSION.fullmatch(tag))}

"""Rejects input that no operation accepts: bad paths, hosts, framing, unknown parameters."""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl

from flask import Request
from flask.globals import request_ctx
from marshmallow.fields import Field, List
from werkzeug.exceptions import (
    BadRequest,
    ClientDisconnected,
    MethodNotAllowed,
    NotFound,
    RequestEntityTooLarge,
    SecurityError,
)
from werkzeug.routing import IntegerConverter, Map, RequestRedirect

from chassis.core.limits import BIG_INTEGER_MAX
from chassis.core.request_scope import RequestScope
from chassis.http.fast.direct_flask import MOST_HOSTS
from chassis.http.flow.pipeline import Before, Maker, Route, Step
from chassis.http.input.parser import InvalidRequestError, query_fields, takes_body
from chassis.http.input.streamed_body import streams_body
from chassis.http.input.unread_bodies import BODY_HEADERS

# The port may be empty (RFC 9110, section 4.2.3). Docker allows an underscore in a service's name.
HOST = re.compile(
    r"([a-z0-9._-]+|\[[a-f0-9]*:[a-f0-9.:]+\])(:([0-9]{0,5}))?", re.ASCII | re.IGNORECASE
)
HIGHEST_PORT = 65535
# Health checks and Prometheus send an IP address as Host.
ANY_HOST = {"health", "metrics"}
# With other methods, a body has no meaning (RFC 9110, section 9.3), and is ignored.
BODY_HAS_MEANING = {"POST", "PUT", "PATCH"}
NOTHING = {b"", b"{}"}  # Many clients send {} where they mean no body.
JSON_BLANKS = b" \t\r\n"


class IdConverter(IntegerConverter):
    """`<int:...>` in a route: no leading zeros, and no number beyond the database's bigint."""

    regex = "0|[1-9][0-9]{0,18}"

    def __init__(self, url_map: Map, **options: Any) -> None:
        super().__init__(url_map, **{"min": 1, "max": BIG_INTEGER_MAX, **options})


class Hosts:
    """The hosts that are served; `.name` in the list trusts every host below it."""

    def __init__(self, trusted: Sequence[str]) -> None:
        """An empty `trusted` accepts every valid Host."""
        self._trusted = trusted
        self._accepted: set[str] = set()

    def require(self, environ: Mapping[str, Any]) -> None:
        """Raise SecurityError for a Host that is malformed or not trusted."""
        sent = environ.get("HTTP_HOST", "")
        if sent in self._accepted:
            return
        if not sent and not self._trusted and environ.get("SERVER_PROTOCOL") == "HTTP/1.0":
            return
        host = HOST.fullmatch(sent)
        if host is None or int(host[3] or 0) > HIGHEST_PORT:
            raise SecurityError("The Host header does not name a host.")
        name = host[1].lower()
        if self._trusted and not any(
            name == each or (each[0] == "." and name.endswith(each)) for each in self._trusted
        ):
            raise SecurityError("This host is not served here.")
        if len(self._accepted) < MOST_HOSTS:
            self._accepted.add(sent)


def check_input(trusted_hosts: Sequence[str]) -> Maker:
    """Make the step that checks input. An empty `trusted_hosts` accepts every valid Host."""

    trusted, any_host = Hosts(trusted_hosts), Hosts(())

    def step(route: Route) -> Step:
        hosts = any_host if route.blueprint in ANY_HOST else trusted
        if route.endpoint is None:
            return Step(before=partial(_check_unmatched, hosts))
        # OPTIONS declares no parameters, so none is checked.
        declared = None if route.method == "OPTIONS" else query_fields(route.view)
        check = partial(_check, hosts, declared)
        if streams_body(route.view):
            return Step(before=check)
        bodiless = route.method in BODY_HAS_MEANING and not takes_body(route.view)
        return Step(before=partial(_check_bodiless if bodiless else _check_whole, check))

    return step


def _check(
    hosts: Hosts,
    declared: Mapping[str, Field[Any]] | None,
    request: Request,
    _scope: RequestScope,
) -> None:
    environ = request.environ
    _require_path(environ["PATH_INFO"])
    hosts.require(environ)
    _require_framing(request)
    if environ.get("QUERY_STRING"):
        _require_declared_query(request, declared)


def _check_whole(check: Before, request: Request, scope: RequestScope) -> None:
    check(request, scope)
    if not BODY_HEADERS.isdisjoint(request.environ):
        _require_whole_body(request)


def _check_bodiless(check: Before, request: Request, scope: RequestScope) -> None:
    _check_whole(check, request, scope)
    if BODY_HEADERS.isdisjoint(request.environ):
        return
    if request.get_data().translate(None, JSON_BLANKS) not in NOTHING:
        raise BadRequest("This operation takes no body.")


def _check_unmatched(hosts: Hosts, request: Request, _scope: RequestScope) -> None:
    _require_path(request.environ["PATH_INFO"])
    hosts.require(request.environ)
    _require_framing(request)
    if isinstance(request.routing_exception, RequestRedirect):
        raise NotFound


def _require_path(path: str) -> None:
    """Reject paths with NUL, and those that Werkzeug would change: // in front, not UTF-8."""
    if not path.isascii():
        try:
            path.encode("latin-1").decode()
        except UnicodeError as error:
            raise NotFound from error
    if path.startswith("//") or "\0" in path:
        raise NotFound


def _require_framing(request: Request) -> None:
    """Reject framing that a proxy may read differently than this server."""
    method = request.environ["REQUEST_METHOD"]
    if method != request.method:  # Case-sensitive (RFC 9110, section 9.1), not for Werkzeug.
        allowed = request_ctx.url_adapter.allowed_methods() if request_ctx.url_adapter else ()
        raise MethodNotAllowed(allowed) if allowed else NotFound
    encoding = request.environ.get("HTTP_TRANSFER_ENCODING")
    if encoding is not None and encoding.lower() != "chunked":
        raise BadRequest("The only Transfer-Encoding that is accepted is chunked.")


def _require_declared_query(request: Request, declared: Mapping[str, Field[Any]] | None) -> None:
    try:
        query = request.query_string.decode()
        if "%" in query:
            parse_qsl(query, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError as error:
        raise InvalidRequestError([], "invalid-query", "The query string is not UTF-8.") from error
    if "%00" in query:
        raise InvalidRequestError([], "invalid-query", "The query string has a NUL.")
    if declared is None:
        return
    errors = []
    for name, values in request.args.lists():
        if name not in declared:
            errors.append(_entry(name, "There is no such parameter.", "unknown"))
        elif len(values) > 1 and not isinstance(declared[name], List):
            errors.append(_entry(name, "Must not be repeated.", "repeated"))
    if errors:
        raise InvalidRequestError(errors, "invalid-query")


def _require_whole_body(request: Request) -> None:
    """Reject a body that was cut off: servers report its end as an ordinary one."""
    if "HTTP_TRANSFER_ENCODING" in request.environ:
        _require_whole_chunks(request)
    elif request.content_length and len(request.get_data()) != request.content_length:
        raise ClientDisconnected("The body is shorter than its Content-Length.")


def _require_whole_chunks(request: Request) -> None:
    """Read the body in one piece: for a cut one, granian then returns nothing instead of a part."""
    try:
        body = request.environ["wsgi.input"].read()
    except OSError:  # Servers other than granian raise this.
        body = b""
    if not body:
        raise ClientDisconnected("The body's chunks are broken, or hold nothing.")
    if len(body) > (request.max_content_length or len(body)):
        raise RequestEntityTooLarge
    request.environ["wsgi.input"] = BytesIO(body)


def _entry(name: str, detail: str, code: str) -> dict[str, str]:
    return {"parameter": name, "detail": detail, "code": code}

"""A POST with an Idempotency-Key takes effect once; repetitions get the first response.

https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header
Only a returned response is stored. An error rolls everything back, and the key stays free.
"""

import re
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from flask import Request, Response

from chassis.core.persistence import StoredResponse, UnitOfWorkFactory
from chassis.core.request_scope import RequestScope
from chassis.http.flow.maintenance_gate import ALWAYS_SERVED
from chassis.http.flow.pipeline import Maker, Route, Serve, Step
from chassis.http.input.parser import InvalidRequestError
from chassis.project import current_project

KEY_HEADER = "Idempotency-Key"
# Visible ASCII without the comma, with which servers join two lines of the header.
KEY = re.compile("[!-+.-~-]{1,255}")
REPLAYED_HEADER = "Idempotent-Replayed"  # Stripe's name; the draft has none.


def takes_key(method: str, endpoint: str | None) -> bool:
    """Whether the operation takes a key. Operations on windows take none: they wait for writers.

    Responses are stored in the database: without one, no key is taken.
    """
    taken = method == "POST" and endpoint is not None and endpoint not in ALWAYS_SERVED
    return taken and current_project().uses_database


def respond_once(unit_of_work: Callable[[], UnitOfWorkFactory[Any]]) -> Maker:
    """Serve the request, or replay the response to an earlier request with the same key."""

    def serve_once(serve: Serve, request: Request, scope: RequestScope) -> Response:
        key = request.environ.get("HTTP_IDEMPOTENCY_KEY")
        if key is None:
            return serve()
        if not KEY.fullmatch(key):
            raise _refusal("invalid-header", "Needs 1 to 255 visible ASCII characters, no comma.")
        return _replay(unit_of_work(), _own(key, scope), serve, request)

    def step(route: Route) -> Step | None:
        return Step(around=serve_once) if takes_key(route.method, route.endpoint) else None

    return step


def _replay(factory: UnitOfWorkFactory[Any], key: str, serve: Serve, request: Request) -> Response:
    fingerprint = _fingerprint(request)
    with factory.once(key) as once:
        if once.response is None:
            response = serve()
            body, headers = response.get_data(), dict(response.headers)
            once.store(StoredResponse(fingerprint, response.status_code, headers, body))
            return response
        stored = once.response
    if stored.fingerprint != fingerprint:
        raise _refusal("idempotency-key-reused", "Another request used this key before.")
    return Response(stored.body, stored.status, {**stored.headers, REPLAYED_HEADER: "true"})


def _refusal(slug: str, detail: str) -> InvalidRequestError:
    return InvalidRequestError([{"parameter": KEY_HEADER, "detail": detail, "code": slug}], slug)


def _own(key: str, scope: RequestScope) -> str:
    """The key of this caller: two callers with the same key do not share responses.

    Callers without a token share their keys. The client's address is no part of the key: else a
    phone's repetition after a change of its network would take effect again.
    """
    subject = scope.principal.subject if scope.principal else ""
    return sha256(f"{key} {subject}".encode(errors="surrogatepass")).hexdigest()


def _fingerprint(request: Request) -> str:
    parts = (request.method, request.full_path, request.content_type or "")
    text = b"\0".join([*(part.encode() for part in parts), request.get_data()])
    return sha256(text).hexdigest()

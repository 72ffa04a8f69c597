"""A POST with an Idempotency-Key has its effect once, and each repetition gets the first answer.

https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header
Only what a view returns is kept; what it raises takes everything back, and may be tried again.
"""

import re
from collections.abc import Callable
from hashlib import sha256

from flask import Response, current_app, g, request

from chassis.core.persistence import KeptAnswer, UnitOfWorkFactory
from chassis.http.flow.maintenance_gate import ALWAYS_SERVED
from chassis.http.input.parser import InvalidRequestError

KEY_HEADER = "Idempotency-Key"
KEY = re.compile(r"[!-~]{1,255}")
REPLAYED_HEADER = "Idempotent-Replayed"  # The draft names none; Stripe does so.


def takes_key(method: str, endpoint: str | None) -> bool:
    """Not what opens and ends maintenance windows: it could not wait for the end of itself."""
    return method == "POST" and endpoint not in ALWAYS_SERVED


def answer_once(answer: Callable[[], Response]) -> Response:
    """Call it, unless an earlier request with the same key was answered."""
    key = request.environ.get("HTTP_IDEMPOTENCY_KEY")
    if key is None or not takes_key(request.method, request.endpoint):
        return answer()
    if not KEY.fullmatch(key):
        raise _refusal("invalid-header", "Not 1 to 255 visible ASCII characters.")
    fingerprint = _fingerprint()
    factory: UnitOfWorkFactory[object] = current_app.extensions["container"].unit_of_work()
    with factory.once(_own(key)) as once:
        if once.answer is None:
            response = answer()
            body, headers = response.get_data(), dict(response.headers)
            once.keep(KeptAnswer(fingerprint, response.status_code, headers, body))
            return response
        kept = once.answer
    if kept.fingerprint != fingerprint:
        raise _refusal("idempotency-key-reused", "It came with another request before.")
    return Response(kept.body, kept.status, {**kept.headers, REPLAYED_HEADER: "true"})


def _refusal(slug: str, detail: str) -> InvalidRequestError:
    return InvalidRequestError([{"parameter": KEY_HEADER, "detail": detail, "code": slug}], slug)


def _own(key: str) -> str:
    """Two callers may choose the same one, and neither gets the other's answer."""
    subject = g.principal.subject if g.principal else ""
    return sha256(f"{key} {subject}".encode(errors="surrogatepass")).hexdigest()


def _fingerprint() -> str:
    parts = (request.method, request.full_path, request.content_type or "")
    told = b"\0".join([*(part.encode() for part in parts), request.get_data()])
    return sha256(told).hexdigest()

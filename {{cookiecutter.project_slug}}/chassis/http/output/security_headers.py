"""What browsers may do with an answer: as little as possible.

https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html#security-headers
"""

from flask import Request, Response

from chassis.core.request_scope import RequestScope
from chassis.http.fast.prepared_response import PreparedResponse
from chassis.http.flow.pipeline import Route, Step

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
TRANSPORT = ("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
# What has a tag may be kept, for a later If-None-Match; and is never used unasked.
WITH_TAG = [*HEADERS.items(), ("Cache-Control", "no-cache")]
WITHOUT_TAG = [*HEADERS.items(), ("Cache-Control", "no-store")]


def send_security_headers(_route: Route) -> Step:
    """A view that needs another value sends it itself."""
    return Step(after=_secure)


def _secure(response: Response, request: Request, _scope: RequestScope) -> None:
    if isinstance(response, PreparedResponse) and response.prepared is not None:
        response.prepared += WITH_TAG if response.has_tag else WITHOUT_TAG
        if request.is_secure:
            response.prepared.append(TRANSPORT)
        return
    present = {name.lower() for name, _ in response.headers}
    for name, value in WITH_TAG if "etag" in present else WITHOUT_TAG:
        if name.lower() not in present:
            response.headers.add(name, value)
    if request.is_secure:  # Browsers heed it over https only.
        response.headers.add(*TRANSPORT)

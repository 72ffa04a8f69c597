"""Security headers: browsers may do as little as possible with a response.

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
# A response with an ETag may be cached, and has to be revalidated before each use.
WITH_TAG = [*HEADERS.items(), ("Cache-Control", "no-cache")]
WITHOUT_TAG = [*HEADERS.items(), ("Cache-Control", "no-store")]


def send_security_headers(_route: Route) -> Step:
    """Add the headers that the view did not set itself."""
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
    if request.is_secure:  # Browsers ignore the header over http.
        response.headers.add(*TRANSPORT)

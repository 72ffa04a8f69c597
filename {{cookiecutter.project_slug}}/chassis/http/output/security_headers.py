"""What browsers may do with an answer: as little as possible.

https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html#security-headers
"""

from flask import Flask, Response, request

from chassis.http.fast.prepared_response import PreparedResponse
from chassis.http.flow.current_request import present_request

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


def register_security_headers(app: Flask) -> None:
    """A view that needs another value sends it itself."""

    @app.after_request
    def secure(response: Response) -> Response:
        if isinstance(response, PreparedResponse) and response.prepared is not None:
            response.prepared += WITH_TAG if response.has_tag else WITHOUT_TAG
            if present_request().is_secure:
                response.prepared.append(TRANSPORT)
            return response
        given = {name.lower() for name, _ in response.headers}
        for name, value in WITH_TAG if "etag" in given else WITHOUT_TAG:
            if name.lower() not in given:
                response.headers.add(name, value)
        if request.is_secure:  # Browsers heed it over https only.
            response.headers.add(*TRANSPORT)
        return response

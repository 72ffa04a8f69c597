"""What browsers may do with an answer: as little as possible.

https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html#security-headers
"""

from flask import Flask, Response, request

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
ONE_YEAR = "max-age=31536000; includeSubDomains"


def register_security_headers(app: Flask) -> None:
    """A view that needs another value sends it itself."""

    @app.after_request
    def secure(response: Response) -> Response:
        said = {name.lower() for name, _ in response.headers}
        for name, value in HEADERS.items():
            if name.lower() not in said:
                response.headers.add(name, value)
        if "cache-control" not in said:
            # What has a tag may be kept, for a later If-None-Match; and is never used unasked.
            response.headers.add("Cache-Control", "no-cache" if "etag" in said else "no-store")
        if request.is_secure:  # Browsers heed it over https only.
            response.headers.add("Strict-Transport-Security", ONE_YEAR)
        return response

"""JSON responses whose usual headers are prepared, and not checked one by one.

Werkzeug checks and copies each header of each response. Headers of the chassis need no check; a
response with other headers becomes an ordinary one.
"""

import re
from typing import Any

from flask import Response
from werkzeug.datastructures import Headers
from werkzeug.http import HTTP_STATUS_CODES

from chassis.http.input.parser import JSON

ENABLED = True  # Tests set False, and Werkzeug does everything.
BODILESS = {204, 304}  # And 1xx (RFC 9110, section 6.4.1).
STATUS_LINES = {
    code: f"{code} {text.upper()}"
    for code, text in HTTP_STATUS_CODES.items()
    if code >= 200 and code not in BODILESS  # noqa: PLR2004
}
CONTENT_TYPE = ("Content-Type", JSON)
# A Location without characters to escape.
PLAIN_PATH = re.compile(r"/(?:[A-Za-z0-9._~-][A-Za-z0-9._~/-]*)?")


class PreparedResponse(Response):
    """A response that becomes an ordinary one when code reads its headers.

    `prepared` is the list of headers until then; hooks append headers that nobody else sets.
    """

    prepared: list[tuple[str, str]] | None

    def __init__(self, body: bytes, status: int, tag: str | None, location: str | None) -> None:
        # super().__init__() is left out: it takes the time that this class saves.
        self._status, self._status_code = STATUS_LINES[status], status
        self.direct_passthrough = False
        self._on_close = []
        self.response = self._whole = [body]
        self.has_tag = tag is not None
        self.prepared = [CONTENT_TYPE, ("Content-Length", str(len(body)))]
        if location is not None:
            self.prepared.append(("Location", location))
        if tag is not None:
            self.prepared.append(("ETag", f'"{tag}"'))

    @property
    def headers(self) -> Headers:
        if self.prepared is not None:
            self.headers = Headers(self.prepared)
        return self._headers

    @headers.setter
    def headers(self, headers: Headers) -> None:
        self._headers, self.prepared = headers, None

    def __call__(self, environ: Any, start_response: Any) -> Any:
        if (
            self.prepared is None
            or self._status_code not in STATUS_LINES
            or environ["REQUEST_METHOD"] == "HEAD"
            or self.response is not self._whole
            or self._on_close
        ):
            return super().__call__(environ, start_response)
        start_response(self._status, self.prepared)
        return self._whole


def json_response(body: bytes, status: Any, headers: Any, tag: str | None) -> Response:
    """`tag` is an entity tag without its quotes, of characters that need no escape."""
    location = headers["Location"] if headers and [*headers] == ["Location"] else None
    is_usual = not headers or (type(location) is str and PLAIN_PATH.fullmatch(location))
    if ENABLED and is_usual and status in STATUS_LINES:
        return PreparedResponse(body, int(status), tag, location)
    response = Response(body, status, headers, content_type=JSON)
    if tag is not None:
        response.headers.add("ETag", f'"{tag}"')
    return response


def set_header(response: Response, name: str, value: str) -> None:
    """Set a header that only the caller sets, once; the value needs no escaping."""
    if isinstance(response, PreparedResponse) and response.prepared is not None:
        response.prepared.append((name, value))
    else:
        response.headers[name] = value

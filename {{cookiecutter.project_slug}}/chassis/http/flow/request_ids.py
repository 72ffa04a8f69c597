import re
from contextlib import suppress
from secrets import token_hex
from time import perf_counter

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from chassis.http.fast.prepared_response import set_header
from chassis.http.input.parser import body_as_read

# What a caller may choose: it goes into logs and answers as it came.
REQUEST_ID = re.compile(r"[\w.:-]{1,64}")

# By one of these a request has a body (RFC 9112, section 6.3).
BODY_HEADERS = {"CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING"}
READ_TO_KEEP_A_CONNECTION = 64 * 1024  # Bytes; a larger body is not worth it.


def register_middleware(app: Flask) -> None:
    """Give each request an id, the caller's where it sent a fit one, and send it back."""

    @app.before_request
    def identify() -> None:
        sent = request.environ.get("HTTP_X_REQUEST_ID", "")
        g.started = perf_counter()
        g.request_id = sent if REQUEST_ID.fullmatch(sent) else token_hex(16)

    @app.after_request
    def read_the_rest(response: Response) -> Response:
        """The server closes a connection with an unread body, and the next request with it."""
        if BODY_HEADERS.isdisjoint(request.environ) or body_as_read() is not None:
            return response
        if (request.content_length or 0) <= READ_TO_KEEP_A_CONNECTION:
            with suppress(HTTPException):  # There is no rest: the client went away.
                request.get_data(cache=False)
        return response

    @app.after_request
    def send_id(response: Response) -> Response:
        set_header(response, "X-Request-ID", g.request_id)
        return response

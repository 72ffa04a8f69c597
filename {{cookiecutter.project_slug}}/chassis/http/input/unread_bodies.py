from contextlib import suppress

from flask import Request, Response
from werkzeug.exceptions import HTTPException

from chassis.core.request_scope import RequestScope
from chassis.http.flow.pipeline import Route, Step
from chassis.http.input.parser import body_as_read

# A request with one of these headers has a body (RFC 9112, section 6.3).
BODY_HEADERS = {"CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING"}
READ_TO_KEEP_A_CONNECTION = 64 * 1024  # Bytes; closing costs less than reading more.


def read_unread_bodies(_route: Route) -> Step:
    """Read what a view left of the body: else the server closes the connection."""
    return Step(after=_read)


def _read(_response: Response, request: Request, _scope: RequestScope) -> None:
    if BODY_HEADERS.isdisjoint(request.environ) or body_as_read(request) is not None:
        return
    if (request.content_length or 0) <= READ_TO_KEEP_A_CONNECTION:
        with suppress(HTTPException):  # The client has gone, or the body is longer than allowed.
            request.get_data(cache=False)

"""Bodies that are too long for memory: a view reads its body piece by piece."""

import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from flask import Request, request
from werkzeug.exceptions import RequestTimeout

from chassis.http.input.parser import refuse_encodings

View = TypeVar("View", bound=Callable[..., Any])
PIECE_BYTES = 64 * 1024
LONGEST_SECONDS = 15 * 60  # Checked between two reads, so that a slow sender is cut off.


def waits(view: View) -> View:
    """Mark an operation that calls another service: it takes no slot of database requests."""
    view.waits_elsewhere = True  # type: ignore[attr-defined]
    return view


def streams(view: View) -> View:
    """Mark an operation that reads its body with `body_pieces`, without MAX_BODY_BYTES."""
    view.streams_body = True  # type: ignore[attr-defined]
    return waits(view)


def waits_elsewhere(view: object) -> bool:
    return getattr(view, "waits_elsewhere", False)


def streams_body(view: object) -> bool:
    return getattr(view, "streams_body", False)


def body_pieces() -> Iterator[bytes]:
    """Yield the body of the present request in pieces, without a limit on its length."""
    sent: Request = request
    refuse_encodings(sent)
    sent.max_content_length = sys.maxsize  # None would be MAX_BODY_BYTES again.
    chunked = "HTTP_TRANSFER_ENCODING" in sent.environ
    stream = sent.environ["wsgi.input"] if chunked else sent.stream
    ends = time.monotonic() + LONGEST_SECONDS
    while piece := stream.read(PIECE_BYTES):
        yield piece
        if time.monotonic() > ends:
            raise RequestTimeout

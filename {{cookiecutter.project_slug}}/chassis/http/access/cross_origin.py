import re
from collections.abc import Sequence

from flask import Flask
from flask_cors import CORS

from chassis.http.flow.read_your_writes import READ_AFTER_HEADER


def register_cors(app: Flask, origins: Sequence[str], *, replica: bool) -> None:
    """Let pages of the listed origins use the API; with none listed, no page may.

    https://fetch.spec.whatwg.org/#http-cors-protocol
    """
    if origins:
        exposed = ["ETag", "Idempotent-Replayed", "Location", "Retry-After", "X-Request-ID"]
        if replica:
            exposed.append(READ_AFTER_HEADER)
        exactly = [_exactly(origin) for origin in origins]
        CORS(app, origins=exactly, expose_headers=exposed)


def _exactly(origin: str) -> str | re.Pattern[str]:
    """flask-cors takes the brackets of an IPv6 address for a part of a regular expression."""
    return origin if origin == "*" else re.compile(rf"{re.escape(origin)}\Z", re.IGNORECASE)

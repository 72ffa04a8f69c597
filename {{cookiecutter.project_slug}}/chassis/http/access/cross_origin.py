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
        CORS(app, origins=list(origins), expose_headers=exposed)

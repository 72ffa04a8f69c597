import re

from flask import Flask
from flask_cors import CORS

from src.api.read_after import READ_AFTER_HEADER
from src.config import Config


def register_cors(app: Flask, config: Config) -> None:
    """Let pages of the listed origins use the API; with none listed, no page may.

    https://fetch.spec.whatwg.org/#http-cors-protocol
    """
    if config.cors_origins:
        exposed = ["ETag", "Idempotent-Replayed", "Location", "Retry-After", "X-Request-ID"]
        if config.database_read_url:
            exposed.append(READ_AFTER_HEADER)
        CORS(
            app,
            origins=[_exactly(origin) for origin in config.cors_origins],
            expose_headers=exposed,
        )


def _exactly(origin: str) -> str | re.Pattern[str]:
    """flask-cors takes the brackets of an IPv6 address for a part of a regular expression."""
    return origin if origin == "*" else re.compile(rf"{re.escape(origin)}\Z", re.IGNORECASE)

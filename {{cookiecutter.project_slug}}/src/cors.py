import re

from flask import Flask
from flask_cors import CORS

from chassis.http.flow.read_your_writes import READ_AFTER_HEADER
from src.config import Config

EXPOSED = ["ETag", "Idempotent-Replayed", "Location", "Retry-After", "X-Request-ID"]
EXPOSED += ["Deprecation", "Sunset"]
EXPOSED += ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"]


def register_cors(app: Flask, config: Config) -> None:
    """Let pages of the listed origins use the API. Without a list, no other origin may.

    https://fetch.spec.whatwg.org/#http-cors-protocol
    """
    if config.cors_origins:
        exposed = [*EXPOSED, READ_AFTER_HEADER] if config.database_read_url else EXPOSED
        CORS(app, origins=[*map(exactly, config.cors_origins)], expose_headers=exposed)


def exactly(origin: str) -> str | re.Pattern[str]:
    """Match this origin alone: flask-cors reads an IPv6 address as a regular expression."""
    return origin if origin == "*" else re.compile(rf"{re.escape(origin)}\Z", re.IGNORECASE)

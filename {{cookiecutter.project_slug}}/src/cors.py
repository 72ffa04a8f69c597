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
        CORS(app, origins=list(config.cors_origins), expose_headers=exposed)

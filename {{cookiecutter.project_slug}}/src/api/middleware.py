import re
from uuid import uuid4

from flask import Flask, Response, g, request

# What a caller may choose: it goes into logs and answers as it came.
REQUEST_ID = re.compile(r"[\w.:-]{1,64}")


def register_middleware(app: Flask) -> None:
    """Give each request an id, the caller's where it sent a fit one, and send it back."""

    @app.before_request
    def identify() -> None:
        sent = request.headers.get("X-Request-ID", "")
        g.request_id = sent if REQUEST_ID.fullmatch(sent) else str(uuid4())

    @app.after_request
    def send_id(response: Response) -> Response:
        response.headers["X-Request-ID"] = g.request_id
        return response

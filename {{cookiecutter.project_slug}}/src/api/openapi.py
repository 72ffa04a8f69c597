"""The description of the API at /openapi.json and its page at /docs, which needs no network."""

import flask_smorest
from flask import Flask, Response, send_from_directory
from marshmallow import Schema, fields
from swagger_ui_bundle import swagger_ui_path

from src.api.responses import PROBLEM_JSON
from src.api.schemas.fields import Cursor

ASSETS = "/docs/assets/"
SETTINGS = {
    "OPENAPI_VERSION": "3.1.0",
    "OPENAPI_URL_PREFIX": "/",
    "OPENAPI_SWAGGER_UI_PATH": "/docs",
    "OPENAPI_SWAGGER_UI_URL": ASSETS,
}


class BrokenValue(Schema):
    pointer = fields.String(metadata={"description": "Into the body, as RFC 6901 has it."})
    parameter = fields.String(metadata={"description": "Of the query string."})
    detail = fields.String(required=True)


class Problem(Schema):
    """Problem details, RFC 9457."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    instance = fields.String(required=True)
    request_id = fields.String(required=True)
    errors = fields.List(fields.Nested(BrokenValue))


class Api(flask_smorest.Api):  # type: ignore[misc]  # flask-smorest has no types.
    ERROR_SCHEMA = Problem

    def _register_error_handlers(self) -> None:
        """Leave errors to src/error_handler.py."""

    def _register_responses(self) -> None:
        self.DEFAULT_RESPONSE_CONTENT_TYPE = PROBLEM_JSON
        super()._register_responses()
        del self.DEFAULT_RESPONSE_CONTENT_TYPE


def register_openapi(app: Flask, *, title: str, version: str, description: str) -> Api:
    """Title, version and description are the project's own."""
    app.config.update(SETTINGS, API_TITLE=title, API_VERSION=version)

    @app.get(f"{ASSETS}<path:name>")
    def send_docs_asset(name: str) -> Response:
        return send_from_directory(swagger_ui_path, name)

    api = Api(app, spec_kwargs={"info": {"description": description}})
    api.register_field(Cursor, "string", None)
    return api

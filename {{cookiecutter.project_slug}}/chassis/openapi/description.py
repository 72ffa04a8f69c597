"""Serves the description of the API, by default at /openapi.json, and its page, at /docs."""

import re
from copy import deepcopy
from typing import Any

import flask_smorest
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.common import resolve_schema_cls
from flask import Flask, Response, json
from flask_smorest.spec.plugins import FlaskPlugin
from werkzeug.routing import Rule

from chassis.http.access.policies import public
from chassis.http.flow.idempotency import KEY_HEADER, takes_key
from chassis.http.output.problem_table import problem_table
from chassis.openapi.docs_page import register_docs_page
from chassis.openapi.document import complete
from chassis.openapi.error_answers import ProblemSchema
from chassis.schemas.cursor import Cursor
from chassis.schemas.sort import Sort

SETTINGS = {"OPENAPI_VERSION": "3.1.0", "OPENAPI_URL_PREFIX": "/"}


class Operations(FlaskPlugin):  # type: ignore[misc]  # flask-smorest has no types.
    """Names an operation after its function, and adds the version if it is not the first.

    Adds the request headers If-Match and Idempotency-Key where the operation reads them.
    """

    def path_helper(self, rule: Rule, operations: Any, parameters: Any, **options: Any) -> Any:
        endpoint = str(rule.endpoint)
        blueprint, _, name = endpoint.rpartition(".")
        later = re.search(r"_v\d+$", blueprint)
        path = super().path_helper(rule, operations, parameters, **options)
        of_one = any(parameter["schema"].get("format") == "uuid" for parameter in parameters)
        for method, operation in operations.items():
            operation["operationId"] = f"{name}{later[0] if later else ''}"
            taken = ["If-Match"] if of_one else []
            taken += [KEY_HEADER] if takes_key(method.upper(), endpoint) else []
            if taken:
                operation["parameters"] = [*operation.get("parameters", []), *taken]
        return path


def schema_name(schema: Any) -> str:
    """The class's name without "Schema", and the version if it is not the first.

    So a new version changes no existing name. A partial input is called a patch.
    """
    kind: Any = resolve_schema_cls(schema)
    later = re.search(r"\.(v(?!1\b)\d+)\b", kind.__module__)
    name = kind.__name__.removesuffix("Schema")
    if getattr(schema, "partial", None) is True:
        name = f"{name.removesuffix('Input')}Patch"
    return f"{name}{later[1].upper() if later else ''}"


class Api(flask_smorest.Api):  # type: ignore[misc]  # flask-smorest has no types.
    DEFAULT_ERROR_RESPONSE_NAME = None  # Errors are documented by status instead.

    _text: str | None = None

    def document(self) -> dict[str, Any]:
        # A copy, since `to_dict` returns parts that requests in other threads read, too.
        return complete(deepcopy(self.spec.to_dict()), problem_table(self._app))

    @public
    def _openapi_json(self) -> Response:
        if self._text is None:  # Flask takes no operation after the first request.
            self._text = json.dumps(self.document(), sort_keys=False)
        return Response(self._text, content_type="application/json")

    def _register_error_handlers(self) -> None:
        """Do nothing: chassis/http/output/problems.py handles errors."""

    def _register_responses(self) -> None:
        """Register our own errors: flask-smorest's names change with Python's version."""
        self.spec.components.schema("Problem", schema=ProblemSchema)

    def _register_etag_headers(self) -> None:
        """Do nothing: chassis/openapi/headers.py has them."""

    def _register_pagination_header(self) -> None:
        """Do nothing: pages have their cursor in the body."""


def register_openapi(  # noqa: PLR0913  # Passed by name.
    app: Flask,
    *,
    title: str,
    version: str,
    description: str,
    path: str,
    page: str,
) -> Api:
    """Register the document and its page, with the project's title, version and description."""
    app.config.update(SETTINGS, API_TITLE=title, API_VERSION=version, OPENAPI_JSON_PATH=path)
    register_docs_page(app, title, page)
    api = Api(
        app,
        spec_kwargs={
            "info": {"description": description},
            "flask_plugin": Operations(),
            "marshmallow_plugin": MarshmallowPlugin(schema_name_resolver=schema_name),
        },
    )
    api.register_field(Cursor, "string", "cursor")
    api.register_field(Sort, "string", None)
    return api


def signs_cursors(app: Flask) -> bool:
    """Whether an operation returns cursors, which have to be signed."""
    return '"cursor"' in json.dumps(document_of(app))


def document_of(app: Flask) -> dict[str, Any]:
    """The document of an application's operations."""
    [api] = app.extensions["flask-smorest"]["apis"].values()
    document: dict[str, Any] = api["ext_obj"].document()
    return document

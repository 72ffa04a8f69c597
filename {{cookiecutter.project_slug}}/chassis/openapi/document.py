"""Adds to the document the headers, errors and links that operations share."""

import json
import re
from collections.abc import Iterator
from typing import Any

from chassis.core import errors
from chassis.http.access.rate_limits import UNLIMITED
from chassis.http.flow.idempotency import KEY_HEADER
from chassis.http.output.problem_table import ProblemTable
from chassis.openapi import headers
from chassis.openapi.error_answers import ANSWERS, answer_of, own_answer, security_schemes
from chassis.openapi.headers import header, parameter

METHODS = ("get", "post", "put", "patch", "delete")
ASKS_NOTHING = {"read_liveness"}  # It uses no database, so it never answers 503.
DEPENDENCIES = (errors.UnavailableError, errors.MaintenanceError, errors.SchemaMismatchError)
REFERENCE = re.compile(r'"#/components/(\w+)/([^"]+)"')

Json = dict[str, Any]


def complete(document: Json, table: ProblemTable) -> Json:
    """Add the responses and headers that operations share, and links from created entities.

    `table` has the status and kinds of the errors.
    """
    shared: dict[str, Json] = {"responses": {}, **security_schemes(), **headers.components()}
    for kind, members in shared.items():
        document["components"].setdefault(kind, {}).update(members)
    described = document["components"]["responses"]
    for path, method, operation in operations(document):
        own = {
            str(status): own_answer(int(status), response["description"], table.kinds(int(status)))
            for status, response in operation["responses"].items()
            if "description" in response and str(status) >= "400" and int(status) not in ANSWERS
        }
        operation["responses"] = _successes(document, operation)
        if method == "get" and "ETag" in operation["responses"].get("200", {}).get("headers", {}):
            operation["responses"]["304"] = {
                "description": "It still has this version.",
                "headers": {name: header(name) for name in ("X-Request-ID", "ETag")},
            }
            operation["parameters"] = [*operation.get("parameters", []), parameter("If-None-Match")]
        parameters = parameters_of(document, path, operation)
        _forget_null(parameters)
        for status in _errors(table, method, operation, parameters):
            answer = answer_of(status)
            described[answer.name] = answer.component(status, table.kinds(status))
            reference = f"#/components/responses/{answer.name}"
            operation["responses"][str(status)] = {"$ref": reference}
        operation["responses"] |= own
    _link(document)
    used = {tag for _, _, operation in operations(document) for tag in operation.get("tags", [])}
    document["tags"] = [{"name": tag["name"]} for tag in document["tags"] if tag["name"] in used]
    return _without_unused(document)


def parameters_of(document: Json, path: str, operation: Json) -> list[Json]:
    every = document["paths"][path].get("parameters", []) + operation.get("parameters", [])
    return [resolve(document, parameter) for parameter in every]


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def resolve(document: Json, node: Json) -> Json:
    """The object that a $ref refers to, or the object itself."""
    while "$ref" in node:
        _, *keys = node["$ref"].split("/")
        node = document
        for key in keys:
            node = node[key]
    return node


def _successes(document: Json, operation: Json) -> Json:
    successes = {}
    for status, response in operation["responses"].items():
        if str(status) < "400":
            schema = resolve(document, _schema(response))
            names = ["X-Request-ID"]
            names += ["Location"] if str(status) in {"201", "202"} else []
            names += ["Retry-After"] if str(status) == "202" else []
            names += ["ETag"] if "version" in schema.get("properties", {}) else []
            names += ["Deprecation"] if operation.get("deprecated") else []
            names += ["Sunset"] if "x-sunset" in operation else []
            sent = {name: header(name) for name in names} | response.get("headers", {})
            successes[str(status)] = {**response, "headers": sent}
    return successes


def _forget_null(parameters: list[Json]) -> None:
    """Take null out of parameters: a URL or a header leaves a value out instead."""
    for one in parameters:
        schema = one["schema"]
        if isinstance(schema.get("type"), list):
            [schema["type"]] = set(schema["type"]) - {"null"}
        if schema.get("default", ...) is None:
            del schema["default"]


def _errors(table: ProblemTable, method: str, operation: Json, parameters: list[Json]) -> list[int]:
    """The statuses of the errors that an operation may answer with."""
    places = {one["in"] for one in parameters}
    named = {one["name"] for one in parameters if one["in"] == "header"}
    body, changes = "requestBody" in operation, method != "get"
    of_http = {
        400: True,
        413: True,  # A body that the operation does not read is refused, too.
        415: body,
        429: UNLIMITED.isdisjoint(operation.get("tags", ())),
        500: True,
    }
    of_domain = {
        (errors.AuthenticationError, errors.ForbiddenError): "security" in operation,
        (errors.NotFoundError,): "path" in places,
        (errors.ConflictError, errors.DuplicateError, errors.CollisionError): changes,
        (errors.BusyError,): changes,
        # Without an id in its URL, a change with If-Match is refused.
        (errors.PreconditionFailedError,): changes or "If-Match" in named,
        (errors.ValidationError,): body or "query" in places,
        DEPENDENCIES: operation["operationId"] not in ASKS_NOTHING,
        (errors.DomainError,): True,
    }
    statuses = {table.of_status(status)[0] for status, may in of_http.items() if may}
    statuses |= {table.of_error(one)[0] for each, may in of_domain.items() if may for one in each}
    statuses |= {table.of_request("idempotency-key-reused")[0]} if KEY_HEADER in named else set()
    return sorted(statuses)


def _link(document: Json) -> None:
    """Link the response of a POST to the operations on the created entity, by its id."""
    for path, method, operation in operations(document):
        created = operation["responses"].get("201")
        if method != "post" or created is None:
            continue
        if "id" not in resolve(document, _schema(created)).get("properties", {}):
            continue
        for below, _, other in operations(document):
            if named := re.match(rf"{re.escape(path)}/{{(\w+)}}(?!.*{{)", below):
                created.setdefault("links", {})[other["operationId"]] = {
                    "operationId": other["operationId"],
                    "parameters": {named[1]: "$response.body#/id"},
                }


def _schema(response: Json) -> Json:
    schema: Json = response.get("content", {}).get("application/json", {}).get("schema", {})
    return schema


def _security_schemes(document: Json) -> set[str]:
    every = [
        one for _, _, operation in operations(document) for one in operation.get("security", [])
    ]
    return {name for one in every for name in one}


def _without_unused(document: Json) -> Json:
    used_names = {("securitySchemes", name) for name in _security_schemes(document)}
    names = set(REFERENCE.findall(json.dumps(document["paths"])))
    while names - used_names:
        used_names |= names
        used = [document["components"][kind][name] for kind, name in used_names]
        names = set(REFERENCE.findall(json.dumps(used)))
    every = document.pop("components")
    document["components"] = {
        kind: {name: one for name, one in sorted(members.items()) if (kind, name) in used_names}
        for kind, members in sorted(every.items())
        if any((kind, name) in used_names for name in members)
    }
    return document

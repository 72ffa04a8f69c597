"""The error responses of operations, as openapi.json describes them."""

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from marshmallow import INCLUDE, Schema, fields

from chassis.http.output.problems import PROBLEM_JSON
from chassis.openapi.headers import HEADERS, header


class BrokenValue(Schema):
    pointer = fields.String(metadata={"description": "Into the body, as RFC 6901 has it."})
    parameter = fields.String(metadata={"description": "Of the query string, or a header."})
    detail = fields.String(required=True)
    code = fields.String(required=True, metadata={"description": "What is wrong, for programs."})


class ProblemSchema(Schema):
    """Problem details, RFC 9457."""

    class Meta:
        unknown = INCLUDE  # A kind may have further members.

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    instance = fields.String(required=True)
    request_id = fields.String(required=True)
    errors = fields.List(fields.Nested(BrokenValue))


@dataclass(frozen=True, slots=True)
class Answer:
    """An error response, whatever kinds of problems it may be."""

    name: str
    description: str
    headers: tuple[str, ...] = ()
    sometimes: tuple[str, ...] = ()

    def component(self, status: int, kinds: tuple[str, ...]) -> dict[str, Any]:
        """Describe the response; `kinds` are the possible values of `type`."""
        kind = kinds[0]
        example = {
            "type": kind,
            "title": kind.replace("-", " ").capitalize(),
            "status": status,
            "detail": self.description,
            "instance": "/",
            "request_id": "0198c5b2-7b1e-4d0f-9f3e-2f1f4f0c9a11",
        }
        content = {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}
        return {
            "description": f"{self.description} ({', '.join(kinds)})",
            "headers": {name: header(name) for name in ("X-Request-ID", *self.headers)}
            | {name: {"required": False, **HEADERS[name]} for name in self.sometimes},
            "content": {PROBLEM_JSON: content},
        }


ANSWERS = {
    400: Answer("BadRequest", "The request cannot be read."),
    401: Answer("Unauthorized", "The caller has no valid token.", ("WWW-Authenticate",)),
    403: Answer("Forbidden", "The token lacks a scope.", ("WWW-Authenticate",)),
    404: Answer("NotFound", "There is no such resource."),
    409: Answer("Conflict", "The present state forbids the change.", sometimes=("Retry-After",)),
    412: Answer("PreconditionFailed", "The resource has changed."),
    413: Answer("PayloadTooLarge", "The body is too large."),
    415: Answer("UnsupportedMediaType", "The body has to be JSON."),
    422: Answer("Validation", "A value breaks a rule; `errors` names it."),
    429: Answer("RateLimited", "The caller has sent too many requests.", ("Retry-After",)),
    500: Answer("Internal", "The service has made a mistake."),
    503: Answer("Unavailable", "The request may succeed later.", ("Retry-After",)),
}
PHRASES = {int(status): status.phrase for status in HTTPStatus}


def answer_of(status: int) -> Answer:
    """The response with this status. A status of a project's own row has HTTP's name."""
    phrase = PHRASES.get(status, f"Error {status}")
    return ANSWERS.get(status) or Answer(re.sub(r"\W", "", phrase), f"{phrase}.")


def own_answer(status: int, description: str, kinds: tuple[str, ...]) -> dict[str, Any]:
    """Describe an error that an operation declares: @blueprint.alt_response(402, description=…)."""
    return Answer(answer_of(status).name, description).component(status, kinds)


def security_schemes() -> dict[str, dict[str, Any]]:
    bearer = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    return {"securitySchemes": {"bearer": bearer}}

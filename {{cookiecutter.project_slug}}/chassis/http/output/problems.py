"""Problem details (RFC 9457) for every error."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, current_app, json, request
from werkzeug.exceptions import HTTPException, SecurityError

from chassis.core.errors import (
    AuthenticationError,
    BusyError,
    DomainError,
    DuplicateError,
    ForbiddenError,
    MaintenanceError,
    UnavailableError,
    ValidationError,
)
from chassis.core.maintenance_service import retry_after
from chassis.core.request_scope import current_scope
from chassis.http.flow.view_functions import view_of
from chassis.http.input.parser import BROKEN, InvalidRequestError, body_keys, pointer
from chassis.http.output.problem_rows import Row, Rows, require_rows
from chassis.http.output.problem_table import ProblemTable
from chassis.schemas.window import WindowOutput

PROBLEM_JSON = "application/problem+json"
# A name in the body may have half a surrogate pair, which UTF-8 lacks (RFC 3629, section 3).
HALF_PAIR = re.compile("[\ud800-\udfff]")
RETRY_AFTER_SECONDS = 2  # Retry-After where a retry may help, and in every 503.


@dataclass(frozen=True, slots=True)
class Problem:
    """`kind` is the problem type; each of `errors` has a pointer or parameter, and a detail."""

    status: int
    kind: str
    detail: str
    instance: str
    request_id: str | None
    errors: list[dict[str, str]] = field(default_factory=list)
    more: Mapping[str, Any] = field(default_factory=dict)


Body = Callable[[Problem], dict[str, Any]]


def register_problems(app: Flask, rows: Rows, body: Body) -> None:
    """Register the handlers. `rows` has status and kind of each class; `body` makes the JSON.

    Raise CodeError for a row whose status is no error, and for an error of the project without one.
    """
    require_rows(rows)
    table = app.extensions["problems"] = ProblemTable(rows)
    problems = _Problems(table, body)
    app.register_error_handler(DomainError, problems.of_domain)
    app.register_error_handler(ValidationError, problems.of_value)
    app.register_error_handler(DuplicateError, problems.of_duplicate)
    app.register_error_handler(MaintenanceError, problems.of_maintenance)
    app.register_error_handler(AuthenticationError, problems.of_caller)
    app.register_error_handler(ForbiddenError, problems.of_caller)
    app.register_error_handler(BusyError, problems.of_busy)
    app.register_error_handler(UnavailableError, problems.of_unavailable)
    app.register_error_handler(InvalidRequestError, problems.of_request)
    app.register_error_handler(HTTPException, problems.of_http)


class _Problems:
    """The error handlers: one for each class whose response has more than a sentence."""

    def __init__(self, table: ProblemTable, body: Body) -> None:
        self._table = table
        self._body = body

    def of_domain(self, error: DomainError, **headers: str) -> Response:
        return self._response(self._table.of_error(type(error)), str(error), headers=headers)

    def of_value(self, error: ValidationError) -> Response:
        if not error.field:
            return self.of_domain(error)
        entry = {"pointer": f"/{error.field}", "detail": str(error), "code": "invalid"}
        return self._response(self._table.of_error(type(error)), BROKEN, errors=[entry])

    def of_duplicate(self, error: DuplicateError) -> Response:
        """Name only the fields that a client may send: not the owner, for example."""
        view = view_of(current_app, request.endpoint, request.method) if request.endpoint else None
        sent, sentence = body_keys(view), str(error)
        keys = [sent[name] for name in error.fields if name in sent]
        entries = [
            {"pointer": pointer(key), "detail": sentence, "code": "duplicate"} for key in keys
        ]
        detail = f"{sentence.removesuffix('.')}: {', '.join(keys)}." if keys else sentence
        return self._response(self._table.of_error(type(error)), detail, errors=entries)

    def of_maintenance(self, error: MaintenanceError) -> Response:
        seconds = retry_after(error.window)
        window: dict[str, Any] = WindowOutput().dump(error.window) if error.window else {}
        return self._response(
            self._table.of_error(type(error)),
            str(error),
            headers={"Retry-After": str(seconds), "Cache-Control": "no-store"},
            more={**window, "retry_after": seconds},
        )

    def of_caller(self, error: AuthenticationError | ForbiddenError) -> Response:
        return self.of_domain(error, **{"WWW-Authenticate": _challenge(error)})

    def of_busy(self, error: BusyError) -> Response:
        return self.of_domain(error, **{"Retry-After": "1"})

    def of_unavailable(self, error: UnavailableError) -> Response:
        # The cause is for the operators; callers do not see it.
        current_app.logger.warning("%s (%s)", error, error.__cause__)
        return self.of_domain(error)

    def of_request(self, error: InvalidRequestError) -> Response:
        row = self._table.of_request(error.slug)
        return self._response(row, str(error), errors=error.errors)

    def of_http(self, error: HTTPException) -> Response:
        """Handle errors of Flask and Werkzeug; Flask turns unforeseen ones into a 500 first."""
        row = self._table.of_status(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
        if isinstance(error, SecurityError):
            row = self._table.of_request("bad-host")
        headers = {name: value for name, value in error.get_headers() if name != "Content-Type"}
        return self._response(row, error.description or "", headers=headers)

    def _response(
        self,
        row: Row,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        errors: list[dict[str, str]] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> Response:
        status, kind = row
        request_id = current_scope().request_id
        problem = Problem(status, kind, detail, request.path, request_id, errors or [], more or {})
        text = HALF_PAIR.sub("\ufffd", json.dumps(self._body(problem), ensure_ascii=False))
        response = Response(text, status, headers, content_type=PROBLEM_JSON)
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            response.headers.setdefault("Retry-After", str(RETRY_AFTER_SECONDS))
        return response


def _challenge(error: AuthenticationError | ForbiddenError) -> str:
    """The value of WWW-Authenticate (RFC 6750, section 3)."""
    if isinstance(error, ForbiddenError):
        return f'Bearer error="insufficient_scope", scope="{" ".join(sorted(error.scopes))}"'
    return 'Bearer error="invalid_token"' if "Authorization" in request.headers else "Bearer"

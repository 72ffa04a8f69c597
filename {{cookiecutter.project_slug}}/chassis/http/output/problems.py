"""Which answer an error becomes. Every one is made by chassis.http.output.answers.problem."""

from http import HTTPStatus

from flask import Flask, Response, current_app, request
from werkzeug.exceptions import HTTPException, SecurityError

from chassis.core.errors import (
    AuthenticationError,
    BusyError,
    ConflictError,
    DomainError,
    DuplicateError,
    ForbiddenError,
    MaintenanceError,
    NotFoundError,
    PreconditionFailedError,
    SchemaMismatchError,
    UnavailableError,
    ValidationError,
)
from chassis.core.maintenance_service import retry_after
from chassis.http.input.parser import BROKEN, InvalidRequestError
from chassis.http.output.answers import problem
from chassis.schemas.window import WindowOutput

DOMAIN_ERRORS: dict[type[DomainError], tuple[int, str]] = {
    ValidationError: (422, "validation"),
    NotFoundError: (404, "not-found"),
    DuplicateError: (409, "duplicate"),
    PreconditionFailedError: (412, "precondition-failed"),
    ConflictError: (409, "conflict"),
    MaintenanceError: (503, "maintenance"),
    SchemaMismatchError: (503, "schema-mismatch"),
    UnavailableError: (503, "unavailable"),
    AuthenticationError: (401, "unauthorized"),
    ForbiddenError: (403, "forbidden"),
    DomainError: (500, "internal"),
}
# Not by the names of http.HTTPStatus: these change with the version of Python.
HTTP_ERRORS = {
    400: "malformed-body",
    401: "unauthorized",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    409: "conflict",
    410: "gone",
    412: "precondition-failed",
    413: "payload-too-large",
    415: "unsupported-media-type",
    416: "range-not-satisfiable",
    422: "validation",
    428: "precondition-required",
    429: "rate-limited",
    500: "internal",
    503: "unavailable",
}
REQUEST_ERRORS = {
    "validation": 422,
    "invalid-query": 400,
    "invalid-header": 400,
    "idempotency-key-reused": 422,
}


def register_error_handlers(app: Flask) -> None:
    app.register_error_handler(DomainError, answer_domain_error)
    app.register_error_handler(InvalidRequestError, answer_invalid_request)
    app.register_error_handler(HTTPException, answer_http_error)


def answer_domain_error(error: DomainError) -> Response:
    kind = next(kind for kind in type(error).__mro__ if kind in DOMAIN_ERRORS)
    status, slug = DOMAIN_ERRORS[kind]
    if isinstance(error, MaintenanceError):
        return _answer_maintenance(error)
    if isinstance(error, AuthenticationError | ForbiddenError):
        return problem(status, slug, str(error), headers={"WWW-Authenticate": _challenge(error)})
    if isinstance(error, BusyError):
        return problem(status, slug, str(error), headers={"Retry-After": "1"})
    if isinstance(error, ValidationError) and error.field:
        entry = {"pointer": f"/{error.field}", "detail": str(error), "code": "invalid"}
        return problem(status, slug, BROKEN, errors=[entry])
    if isinstance(error, UnavailableError):
        # The caller may not know why; whoever runs the service has to.
        current_app.logger.warning("%s (%s)", error, error.__cause__)
    return problem(status, slug, str(error))


def _challenge(error: AuthenticationError | ForbiddenError) -> str:
    """RFC 6750, section 3."""
    if isinstance(error, ForbiddenError):
        return f'Bearer error="insufficient_scope", scope="{" ".join(sorted(error.scopes))}"'
    return 'Bearer error="invalid_token"' if "Authorization" in request.headers else "Bearer"


def _answer_maintenance(error: MaintenanceError) -> Response:
    seconds = retry_after(error.window)
    headers = {"Retry-After": str(seconds), "Cache-Control": "no-store"}
    window = WindowOutput().dump(error.window) if error.window else {}
    return problem(503, "maintenance", str(error), headers=headers, **window, retry_after=seconds)


def answer_invalid_request(error: InvalidRequestError) -> Response:
    status = REQUEST_ERRORS[error.slug]
    return problem(status, error.slug, str(error), errors=error.errors)


def answer_http_error(error: HTTPException) -> Response:
    """Also for what nobody foresaw: Flask logs it and makes it a 500 first."""
    status = error.code or 500
    other = "internal" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "refused"
    slug = HTTP_ERRORS.get(status, other)
    if isinstance(error, SecurityError):
        slug = "bad-host"
    headers = {name: value for name, value in error.get_headers() if name != "Content-Type"}
    return problem(status, slug, error.description or "", headers=headers)

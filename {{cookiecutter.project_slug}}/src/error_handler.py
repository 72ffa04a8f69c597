"""Status and kind of each class of errors; a class without a row has its parent's."""

from flask import Flask

from chassis.core.errors import (
    AuthenticationError,
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
from chassis.http.output.problems import register_problems
from src.api.responses import problem_body

PROBLEMS: dict[type[DomainError], tuple[int, str]] = {
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


def register_error_handlers(app: Flask) -> None:
    register_problems(app, PROBLEMS, problem_body)

"""HTTP status and problem type of each class of errors; a subclass without a row inherits both."""

from flask import Flask

from chassis.core import errors
from chassis.http.output.problems import register_problems
from src.api.responses import problem_body

PROBLEMS: dict[type[errors.DomainError], tuple[int, str]] = {
    errors.ValidationError: (422, "validation"),
    errors.NotFoundError: (404, "not-found"),
    errors.DuplicateError: (409, "duplicate"),
    errors.PreconditionFailedError: (412, "precondition-failed"),
    errors.ConflictError: (409, "conflict"),
    errors.MaintenanceError: (503, "maintenance"),
    errors.SchemaMismatchError: (503, "schema-mismatch"),
    errors.UnavailableError: (503, "unavailable"),
    errors.AuthenticationError: (401, "unauthorized"),
    errors.ForbiddenError: (403, "forbidden"),
    errors.DomainError: (500, "internal"),
}


def register_error_handlers(app: Flask) -> None:
    register_problems(app, PROBLEMS, problem_body)

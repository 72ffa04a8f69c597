"""The status and kind of every error: the rows of src/error_handler.py, and those of HTTP."""

from http import HTTPStatus

from flask import Flask

from chassis.core import errors
from chassis.http.output.problem_rows import Row, Rows

# The chassis's own names: those of http.HTTPStatus change with Python's version. An error of
# Werkzeug has the first row of its status.
OF_HTTP: tuple[Row, ...] = (
    (400, "malformed-body"),
    (400, "invalid-query"),
    (400, "invalid-header"),
    (400, "bad-host"),
    (405, "method-not-allowed"),
    (406, "not-acceptable"),
    (410, "gone"),
    (413, "payload-too-large"),
    (415, "unsupported-media-type"),
    (416, "range-not-satisfiable"),
    (422, "idempotency-key-reused"),
    (428, "precondition-required"),
    (429, "rate-limited"),
)
# An HTTP error with one of these statuses has the row of the domain's error.
SAME: dict[int, type[errors.DomainError]] = {
    401: errors.AuthenticationError,
    403: errors.ForbiddenError,
    404: errors.NotFoundError,
    409: errors.ConflictError,
    412: errors.PreconditionFailedError,
    422: errors.ValidationError,
    500: errors.DomainError,
    503: errors.UnavailableError,
}
UNFORESEEN = HTTPStatus.INTERNAL_SERVER_ERROR


class ProblemTable:
    """The status and kind of errors, for the error handlers and for openapi.json."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def of_error(self, error: type[errors.DomainError]) -> Row:
        """The row of the class, or of its nearest base class with a row."""
        return next(self._rows[kind] for kind in error.__mro__ if kind in self._rows)

    def of_status(self, status: int) -> Row:
        """The row of an HTTP error. A 500 stays a 500, even if DomainError has a lower status."""
        row: Row | None
        if status in SAME:
            row = self._rows.get(SAME[status])
        else:
            row = next((one for one in OF_HTTP if one[0] == status), None)
        if row is None or (status == UNFORESEEN and row[0] < UNFORESEEN):
            return status, _unnamed(status)
        return row

    def of_request(self, kind: str) -> Row:
        """The row for a rejected request; `kind` is "validation", or a kind in OF_HTTP."""
        if kind == "validation":
            return self.of_status(HTTPStatus.UNPROCESSABLE_ENTITY)
        return next(row for row in OF_HTTP if row[1] == kind)

    def kinds(self, status: int) -> tuple[str, ...]:
        """The kinds that an answer with this status may have, the most general one first."""
        general = self.of_status(status)
        rows = [row for row in (*self._rows.values(), *OF_HTTP) if row[0] == status]
        registered = [row for row in (general, *rows) if row in rows]
        return tuple(dict.fromkeys(kind for _, kind in registered)) or (_unnamed(status),)


def problem_table(app: Flask) -> ProblemTable:
    table: ProblemTable = app.extensions["problems"]
    return table


def _unnamed(status: int) -> str:
    return "internal" if status >= UNFORESEEN else "refused"

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from psycopg2 import errorcodes
from sqlalchemy import Table
from sqlalchemy.exc import (
    DBAPIError,
    DisconnectionError,
    IntegrityError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from chassis.core.errors import (
    CollisionError,
    ConflictError,
    DomainError,
    DuplicateError,
    UnavailableError,
    ValidationError,
)
from chassis.postgres.locks import refused_by

UNAVAILABLE = "The database does not answer."
NOT_MIGRATED = "The database was not migrated yet."
# Since PostgreSQL 18, ON DELETE RESTRICT raises the second one.
REFERENCES = {errorcodes.FOREIGN_KEY_VIOLATION, errorcodes.RESTRICT_VIOLATION}
# The columns in the detail, in every language: Key (email)=(a@example.org) already exists.
UNIQUE_COLUMNS = re.compile(r"[^(]*\(([^()]+)\)=\(")
COLLIDED = "Another change was made at the same time."
REFERRED = "Another row refers to this row, or a referenced row is gone."
WRITE_REFUSED = "OPS01"  # Raised by ops.pass_write_fence.
# By SQLSTATE, else by its class, which is the first two characters.
# https://www.postgresql.org/docs/current/errcodes-appendix.html
SQLSTATES: dict[str, tuple[type[DomainError], str]] = {
    errorcodes.READ_ONLY_SQL_TRANSACTION: (
        UnavailableError,
        "The database does not take writes now.",
    ),
    errorcodes.INVALID_SCHEMA_NAME: (UnavailableError, NOT_MIGRATED),
    errorcodes.FOREIGN_KEY_VIOLATION: (ConflictError, REFERRED),
    errorcodes.RESTRICT_VIOLATION: (ConflictError, REFERRED),
    errorcodes.UNIQUE_VIOLATION: (DuplicateError, "The value exists already."),
    errorcodes.EXCLUSION_VIOLATION: (ConflictError, "The value overlaps with an existing one."),
    errorcodes.SERIALIZATION_FAILURE: (CollisionError, COLLIDED),
    errorcodes.DEADLOCK_DETECTED: (CollisionError, COLLIDED),
    errorcodes.LOCK_NOT_AVAILABLE: (UnavailableError, UNAVAILABLE),
    errorcodes.CLASS_INSUFFICIENT_RESOURCES: (UnavailableError, UNAVAILABLE),
    errorcodes.CLASS_OPERATOR_INTERVENTION: (UnavailableError, UNAVAILABLE),
    errorcodes.CLASS_CONNECTION_EXCEPTION: (UnavailableError, UNAVAILABLE),
}


def sqlstate(error: DBAPIError) -> str:
    """The SQLSTATE of an error; empty if the server did not send one."""
    return getattr(error.orig, "pgcode", None) or ""


def first_line(error: object) -> str:
    """PostgreSQL's own sentence: the first line, without details and statement."""
    return str(error).strip().partition("\n")[0]


@contextmanager
def translated_errors(*, read_only: bool = False) -> Iterator[None]:
    """Translate errors of the database to errors of the domain, and keep the cause.

    An error that is not in the table is a mistake in the program, and passes unchanged. So does a
    write in a read-only unit of work.
    """
    try:
        yield
    except SQLAlchemyError as error:
        translation = translation_of(error, read_only=read_only)
        if translation is None:
            raise
        raise translation from error


def translation_of(error: SQLAlchemyError, *, read_only: bool = False) -> DomainError | None:
    """The error of the domain; None for a mistake in the program."""
    if not isinstance(error, DBAPIError):
        no_connection = isinstance(error, PoolTimeoutError | DisconnectionError)
        return UnavailableError(UNAVAILABLE) if no_connection else None
    state = sqlstate(error)
    if read_only and state == errorcodes.READ_ONLY_SQL_TRANSACTION:
        return None
    # The connection was lost or refused before the server sent a state.
    if not state and (error.connection_invalidated or isinstance(error, OperationalError)):
        return UnavailableError(UNAVAILABLE)
    return _by_state(state, error)


def reference_error(
    error: IntegrityError, tables: Mapping[Table, str | None]
) -> DomainError | None:
    """The error for a violated foreign key of these tables, or to them.

    None for other errors. `tables` gives the field's name for a table of children.
    """
    if sqlstate(error) not in REFERENCES:
        return None
    about = error.orig.diag  # type: ignore[union-attr]
    for table, field in tables.items():
        for key in table.foreign_key_constraints:
            if (about.table_name, about.constraint_name) == (table.name, key.name):
                wrong = field or key.column_keys[0]
                kind = key.referred_table.name.replace("_", " ")
                return ValidationError(f"{wrong}: None of the {kind} has this id.", field=wrong)
    kind = str(about.table_name).replace("_", " ")
    return ConflictError(f"Some {kind} still refer to this.")


def note_unique_fields(error: IntegrityError, tables: Mapping[Table, str | None]) -> None:
    """Note the entity's unique fields for `translation_of`; `tables` as in `reference_error`.

    The error stays the database's until the unit of work ends, because the transaction is over.
    """
    if sqlstate(error) != errorcodes.UNIQUE_VIOLATION:
        return
    about = error.orig.diag  # type: ignore[union-attr]
    for table, field in tables.items():
        if about.table_name == table.name:
            match = UNIQUE_COLUMNS.match(about.message_detail or "")
            columns = [name.strip('"') for name in match[1].split(", ")] if match else []
            error.unique_fields = (field,) if field else tuple(columns)  # type: ignore[attr-defined]


def _by_state(state: str, error: DBAPIError) -> DomainError | None:
    if state == WRITE_REFUSED:
        return refused_by(json.loads(error.orig.diag.message_detail))  # type: ignore[union-attr]
    if state == errorcodes.UNDEFINED_FUNCTION and "ops." in first_line(error.orig):
        return UnavailableError(NOT_MIGRATED)
    if row := SQLSTATES.get(state) or SQLSTATES.get(state[:2]):
        kind, text = row
        if kind is DuplicateError:
            return DuplicateError(text, fields=getattr(error, "unique_fields", ()))
        return kind(text)
    return None

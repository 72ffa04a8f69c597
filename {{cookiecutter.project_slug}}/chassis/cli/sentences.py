"""Errors that people can correct: a sentence with what to do, and an exit code."""

import errno

from alembic.util import CommandError
from psycopg2 import errorcodes
from sqlalchemy.exc import DBAPIError

from chassis.bootstrap import no_python
from chassis.core.errors import BusyError, CodeError, DomainError, UnavailableError
from chassis.maintenance.migrator import PoolerError
from chassis.maintenance.recovery import ConnectionLostError, MigrationFailedError
from chassis.maintenance.revisions import RevisionsError
from chassis.migrations.check import FindingsError
from chassis.migrations.plan import ContractInTheWayError
from chassis.migrations.runner import RevisionError
from chassis.migrations.scratch import ScratchForbiddenError
from chassis.postgres.embedded import EmbeddedPostgresError
from chassis.postgres.error_translation import first_line, sqlstate
from chassis.postgres.ops_schema import SchemaNameError
from chassis.project import current_project
from chassis.settings import ConfigError, load_config

FAILED = 1
FINDINGS = 3
WINDOW_STAYS = 4  # An operator is needed.
BUSY, MISCONFIGURED = 75, 78  # EX_TEMPFAIL and EX_CONFIG of sysexits.h
# Exit codes of errors whose texts are sentences already.
AS_THEY_ARE: dict[tuple[type[Exception], ...], int] = {
    (ConfigError, EmbeddedPostgresError, PoolerError, SchemaNameError): MISCONFIGURED,
    (MigrationFailedError,): WINDOW_STAYS,
    (RevisionsError, RevisionError, ConnectionLostError, DomainError, CodeError): FAILED,
    (SyntaxError,): FAILED,
    (FindingsError,): FINDINGS,
    (ContractInTheWayError,): BUSY,
}
ALEMBIC_ADVICE = {
    "Target database is not up to date": "Run `python manage.py db upgrade` first.",
    "Can't locate revision": "This code has no such revision: it may be older than the database. "
    "Use the code that has the revision; its `db downgrade` takes the revision back.",
    "Relative revision": "There are not that many revisions in that direction.",
}
NO_SCRATCH = (
    "The role may not create databases, and revisions are tried on a scratch database. Name "
    "another role in MIGRATION_DATABASE_URL, or give this one the right: ALTER ROLE ... CREATEDB."
)
# Errors of the machine, such as a full disk; another OSError is a mistake in the program.
SURROUNDINGS = {errno.EACCES, errno.EDQUOT, errno.ENOSPC, errno.EPERM, errno.EROFS}
# Keys are SQLSTATEs: https://www.postgresql.org/docs/current/errcodes-appendix.html
DATABASE_ADVICE = {
    errorcodes.INSUFFICIENT_PRIVILEGE: "The role in {setting} may not do this.",
    errorcodes.DUPLICATE_TABLE: "The schema is not at the revision in the table alembic_version. "
    "If the schema is at another one, run `python manage.py db stamp REVISION`.",
}

OF_DATA = {errorcodes.CLASS_DATA_EXCEPTION, errorcodes.CLASS_INTEGRITY_CONSTRAINT_VIOLATION}
CORRECT = " Correct the revision or the data, and run the command again."


def sentence_of(error: Exception, command: str | None) -> tuple[str, int] | None:
    """The sentence and the exit code; None for a mistake in the program."""
    match error:
        case BusyError():
            return f"{error} Nothing is half done; run the same command again.", BUSY
        case ScratchForbiddenError():
            return NO_SCRATCH, MISCONFIGURED
        case DBAPIError():
            sentence = database_sentence(error, _url_of(command))
            return sentence, MISCONFIGURED if _is_of_a_setting(error) else FAILED
        case OSError(errno=number, filename=path) if number in SURROUNDINGS:
            return f"{error.strerror}: {path or 'the output'}", FAILED
        case CommandError():
            return with_advice(str(error)), FAILED
    codes = (code for kinds, code in AS_THEY_ARE.items() if isinstance(error, kinds))
    forbidden = isinstance(error, UnavailableError) and _is_of_a_setting(error.__cause__)
    code = MISCONFIGURED if forbidden else next(codes, None)
    sentence = no_python(error) if isinstance(error, SyntaxError) else str(error)
    return None if code is None else (sentence, code)


def _is_of_a_setting(error: BaseException | None) -> bool:
    """Whether the cause is a setting: its URL names a role without the right, or a pooler."""
    if isinstance(error, DBAPIError):
        return sqlstate(error) == errorcodes.INSUFFICIENT_PRIVILEGE
    return isinstance(error, PoolerError)


def with_advice(sentence: str) -> str:
    advice = [text for start, text in ALEMBIC_ADVICE.items() if sentence.startswith(start)]
    return " ".join([f"{sentence.rstrip('.')}.", *advice])


def _url_of(command: str | None) -> str:
    """The setting with the URL of the database that a command uses."""
    config = load_config(current_project().config_type, complete=False)
    migrates = command == "db" and config.migration_database_url
    return "MIGRATION_DATABASE_URL" if migrates else "DATABASE_URL"


def database_sentence(error: DBAPIError, setting: str) -> str:
    state = sqlstate(error)
    notes = getattr(error, "__notes__", [])  # The runner adds the revision that failed.
    reason = ". ".join([*notes, first_line(error.orig)])
    violated = state[:2] == errorcodes.CLASS_INTEGRITY_CONSTRAINT_VIOLATION
    if violated and (key := error.orig.diag.message_detail):  # type: ignore[union-attr]
        reason = f"{reason}: {key}"
    if not state:
        return f"The database does not answer. Check {setting}. ({reason})"
    advice = DATABASE_ADVICE.get(state, "The database refused a statement.").format(setting=setting)
    correct = CORRECT if notes and state[:2] in OF_DATA else ""
    return f"{advice} ({reason}){correct}"

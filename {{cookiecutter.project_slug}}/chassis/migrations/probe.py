"""Tests whether a migration can get its locks, before a window is opened for it."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from inspect import getsource
from typing import Any

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from psycopg2 import errorcodes
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError

from chassis.maintenance.declarations import is_autocommit, measurements
from chassis.migrations.footprint import STRENGTH
from chassis.migrations.plan import Plan
from chassis.postgres.error_translation import sqlstate

SECONDS = 0.2
LEAST = 2  # Milliseconds. Half of it is still at least 1; 0 would mean no limit.
# The names that footprint.py uses.
TABLES = text("""
    SELECT c.oid::regclass::text AS quoted,
        CASE nspname WHEN current_schema() THEN relname ELSE format('%s.%s', nspname, relname) END
            AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE relkind IN ('r', 'p')
""")
COMMITS = re.compile(r"\bcommit\b", re.IGNORECASE)


class EnoughError(Exception):
    """The time is over, and no lock was refused."""


def probe(connection: Connection, plan: Plan) -> None:
    """Acquire the locks of the plan's steps for at most 200 ms, and release them.

    The measurements name the locks. A revision without measurements runs, and is rolled back.
    Raise DBAPIError with LOCK_NOT_AVAILABLE if another session holds one.
    """
    measured = [measurements(script) for script in plan.scripts]
    connection.rollback()
    try:
        with _hurried(connection):
            _take(connection, [getattr(one, plan.direction) for one in measured])
            connection.rollback()
            if not all(one.is_checked for one in measured):
                _attempt(connection, plan)
    except EnoughError:
        pass
    except DBAPIError as error:
        if sqlstate(error) == errorcodes.LOCK_NOT_AVAILABLE:
            raise
    except Exception:  # noqa: S110  # The real run reports the error.
        pass
    finally:
        if not connection.invalidated:
            connection.rollback()


def _take(connection: Connection, measured: list[dict[str, str]]) -> None:
    wanted: dict[str, str] = {}
    for tables in measured:
        for name, work in tables.items():
            mode = work.partition(",")[0]
            if mode in STRENGTH:
                wanted[name] = max(wanted.get(name, mode), mode, key=STRENGTH.index)
    quoted = {row.name: row.quoted for row in connection.execute(TABLES)} if wanted else {}
    for name in sorted(wanted.keys() & quoted.keys()):
        mode = re.sub("(?<=[a-z])(?=[A-Z])", " ", wanted[name].removesuffix("Lock")).upper()
        connection.exec_driver_sql(f"LOCK TABLE {quoted[name]} IN {mode} MODE")


def _attempt(connection: Connection, plan: Plan) -> None:
    """Run the steps up to the first that commits by itself; the caller rolls back."""
    with Operations.context(MigrationContext.configure(connection)):
        for script in plan.scripts:
            if is_autocommit(script) or COMMITS.search(getsource(script.module)):
                break
            getattr(script.module, plan.direction)()


@contextmanager
def _hurried(connection: Connection) -> Iterator[None]:
    """Limit each statement to the remaining time, and its wait for a lock to half of it."""
    deadline = time.monotonic() + SECONDS

    def hurry(_connection: Connection, cursor: Any, *_: object) -> None:
        left = 1000 * (deadline - time.monotonic())
        if left < LEAST:
            raise EnoughError
        with cursor.connection.cursor() as before:
            before.execute(
                f"SET LOCAL lock_timeout = {left / 2:.0f}; SET LOCAL statement_timeout = {left:.0f}"
            )

    event.listen(connection, "before_cursor_execute", hurry)
    try:
        yield
    finally:
        event.remove(connection, "before_cursor_execute", hurry)

"""Drains writers: keeps new ones out, and waits until the running ones end."""

import time

from psycopg2 import errorcodes
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from chassis.core.errors import BusyError
from chassis.core.maintenance import MaintenanceMode
from chassis.postgres.error_translation import sqlstate
from chassis.postgres.locks import fence_of, holders

# By then each server process has read the new mode: see MaintenanceService.
SEEN_BY_ALL_SECONDS = 1.2
LOCK = text("SELECT pg_advisory_lock(:key)")
UNLOCK = text("SELECT pg_advisory_unlock(:key)")
OTHERS = text("""
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
    AND backend_type = 'client backend' AND pid <> pg_backend_pid()
    AND application_name <> current_setting('application_name')
""")


def drain(connection: Connection, timeout: float) -> None:
    """Keep new writers out and wait for running ones; then the caller holds the fence.

    Raise BusyError, with the writers, after `timeout` seconds; then writers are admitted again.
    """
    try:
        connection.execute(text(f"SET LOCAL lock_timeout = {max(1, 1000 * timeout):.0f}"))
        connection.execute(LOCK, {"key": fence_of(connection)})
        connection.commit()
    except DBAPIError as error:
        connection.rollback()
        if sqlstate(error) != errorcodes.LOCK_NOT_AVAILABLE:
            raise
        writers = (
            "; ".join(holders(connection, fence_of(connection))) or "sessions that have ended now"
        )
        connection.rollback()
        raise BusyError(f"Still writing after {timeout:g} s: {writers}.") from error


def release(connection: Connection) -> None:
    connection.execute(UNLOCK, {"key": fence_of(connection)})
    connection.commit()


def wait_until_seen(connection: Connection, mode: MaintenanceMode) -> None:
    """Wait until every server process knows of a window that forbids reads."""
    if mode is MaintenanceMode.FULL and connection.execute(OTHERS).scalar():
        connection.commit()
        time.sleep(SEEN_BY_ALL_SECONDS)

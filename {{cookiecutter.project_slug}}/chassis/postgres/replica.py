"""Reads on a streaming replica, if the replica has every write that the request must see."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from psycopg2 import Error, errorcodes
from psycopg2.extensions import cursor
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError

from chassis.core.circuit_breaker import CircuitBreaker
from chassis.core.errors import CollisionError
from chassis.core.read_positions import ONLY_PRIMARY
from chassis.core.request_scope import current_scope
from chassis.postgres.error_translation import sqlstate

PAUSE_SECONDS = 1.0  # Until a failed replica is tried again.
# The insert position of the WAL, which is past a commit even with synchronous_commit off.
# https://www.postgresql.org/docs/current/functions-admin.html
WRITTEN = "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint"
# The URL may lead to the primary too, such as the only server that is left.
APPLIED = """SELECT (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
    ELSE pg_current_wal_insert_lsn() END - '0/0')::bigint"""
# Errors after which the primary may succeed: conflicts with recovery, a schema that has not
# arrived, a server that stops, starts or is full. A statement that takes too long is not among
# them.
ITS_OWN = {
    errorcodes.SERIALIZATION_FAILURE,
    errorcodes.DEADLOCK_DETECTED,
    errorcodes.LOCK_NOT_AVAILABLE,
    errorcodes.UNDEFINED_TABLE,
    errorcodes.UNDEFINED_COLUMN,
    errorcodes.INVALID_SCHEMA_NAME,
    errorcodes.ADMIN_SHUTDOWN,
    errorcodes.CRASH_SHUTDOWN,
    errorcodes.CANNOT_CONNECT_NOW,
}
ITS_OWN_CLASSES = {
    errorcodes.CLASS_CONNECTION_EXCEPTION,
    errorcodes.CLASS_INSUFFICIENT_RESOURCES,
}

logger = logging.getLogger(__name__)


class Replica:
    def __init__(self, engine: Engine, primary: Engine) -> None:
        """Both engines are in autocommit."""
        self._engine = engine
        self._primary = primary
        self._breaker = CircuitBreaker(PAUSE_SECONDS)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A connection to the replica, or to the primary if the replica lags behind or has failed.

        Raise CollisionError if the replica fails: the second attempt then uses the primary.
        """
        with self._from_replica() or self._primary.connect() as connection:
            try:
                yield connection
            except DBAPIError as error:
                if connection.engine is not self._engine or not _is_its_own(error):
                    raise
                self._leave(error)
                raise CollisionError("The replica cannot answer this request now.") from error

    def note_commit(self, connection: Connection) -> None:
        """Ask the primary for its position after a commit, for later reads of this caller."""
        if present := current_scope().positions:
            # The write is committed. Where its position is unknown, read from the primary.
            present.needed = present.written = ONLY_PRIMARY
            # On a new cursor: the connection's own would begin a transaction.
            reader: Any = connection.connection.cursor(cursor_factory=cursor)
            with suppress(Error), reader:
                reader.execute(WRITTEN)
                [(present.written,)] = reader.fetchall()

    def _from_replica(self) -> Connection | None:
        present = current_scope().positions
        if not present or present.needed >= ONLY_PRIMARY:
            return None
        if not self._breaker.admits():
            return None
        try:
            connection = self._connection_that_applied(present.needed)
        except DBAPIError as error:
            self._leave(error)
            return None
        self._breaker.worked()
        return connection

    def _connection_that_applied(self, position: int) -> Connection | None:
        """Return a connection whose replica has applied the log up to the position, else None."""
        connection = self._engine.connect()
        try:
            if connection.info.get("applied", 0) < position:
                connection.info["applied"] = connection.exec_driver_sql(APPLIED).scalar_one()
            if connection.info.get("applied", 0) >= position:
                return connection
        except BaseException:
            connection.close()
            raise
        connection.close()
        return None

    def _leave(self, error: DBAPIError) -> None:
        self._breaker.failed()
        logger.warning("The replica fails: the primary answers. (%s)", str(error.orig).strip())


def _is_its_own(error: DBAPIError) -> bool:
    state = sqlstate(error)
    if not state:
        return error.connection_invalidated or isinstance(error, OperationalError)
    return state in ITS_OWN or state[:2] in ITS_OWN_CLASSES

"""How a migration is let near a database that serves: alone, and with locks that it gives up.

The mutex lies on the connection that runs the migration, so that a migrator which has lost it
cannot be changing anything either.
"""

import os
import random
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from itertools import count

from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError

from src.infrastructure.databases.engines import CONNECT_SECONDS, psycopg2_url

MUTEX = int.from_bytes(sha256(b"migrator").digest()[:8], signed=True)
MUTEX_POLL_SECONDS = 0.25
OPTIONS = "-c statement_timeout=0 -c idle_in_transaction_session_timeout=60s"
TAKE_MUTEX = text("SELECT pg_try_advisory_lock(:mutex)")
HOLDER = text("""
    SELECT application_name || ', process ' || pid
    FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'advisory' AND granted AND pg_locks.database = datid
    AND classid::bigint << 32 | objid::bigint = :mutex
""")
LOCK_NOT_AVAILABLE = "55P03"


class BusyError(Exception):
    """The text says what was busy. The same call may be made again."""


@contextmanager
def migrator(url: str, *, wait: float) -> Iterator[Connection]:
    """A connection that no other migrator has at the same time.

    Raise BusyError if another one holds the mutex for longer than `wait` seconds.
    """
    engine = create_engine(
        psycopg2_url(url),
        poolclass=NullPool,
        connect_args={
            "application_name": f"migrator:{socket.gethostname()}:{os.getpid()}",
            "connect_timeout": CONNECT_SECONDS,
            "options": OPTIONS,
        },
    )
    with engine.connect() as connection:
        _notice_a_killed_client(connection)
        _take_mutex(connection, wait)
        yield connection


def retry_for_locks(connection: Connection, step: Callable[[], None], *, budget: float) -> None:
    """Run `step`, again for as long as it cannot get a lock.

    What waits for a lock keeps everybody behind it waiting too. So each try gives up after 0.2 s,
    later ones after up to 2 s, and lets the others pass before the next. Raise BusyError after
    `budget` seconds.
    """
    deadline = time.monotonic() + budget
    for attempt in count():
        milliseconds = min(200 * 1.3**attempt, 2000)
        connection.execute(text(f"SET lock_timeout = {milliseconds:.0f}"))
        # Alembic would take an open transaction for the caller's, and commit nothing.
        connection.commit()
        try:
            step()
        except DBAPIError as error:
            connection.rollback()
            if getattr(error.orig, "pgcode", None) != LOCK_NOT_AVAILABLE:
                raise
            if time.monotonic() > deadline:
                raise BusyError("Another transaction keeps a table locked.") from error
        else:
            return
        time.sleep(min(0.05 * 2**attempt, 5) * random.uniform(0.5, 1.5))  # noqa: S311


def _notice_a_killed_client(connection: Connection) -> None:
    """Let the statement and locks of a killed migrator end with it, not when they are done.

    https://www.postgresql.org/docs/current/runtime-config-connection.html
    """
    try:
        connection.execute(text("SET client_connection_check_interval = '500ms'"))
        connection.commit()
    except DBAPIError:  # Before PostgreSQL 14, and where its server runs on Windows.
        connection.rollback()


def _take_mutex(connection: Connection, wait: float) -> None:
    deadline = time.monotonic() + wait
    # Polled: whoever waits in the database has a snapshot, and CREATE INDEX CONCURRENTLY of the
    # holder would wait for that.
    while not connection.execute(TAKE_MUTEX, {"mutex": MUTEX}).scalar_one():
        holder = connection.execute(HOLDER, {"mutex": MUTEX}).scalar()
        connection.commit()
        if time.monotonic() > deadline:
            raise BusyError(f"Another migration is running ({holder or 'unknown'}).")
        time.sleep(MUTEX_POLL_SECONDS)
    connection.commit()

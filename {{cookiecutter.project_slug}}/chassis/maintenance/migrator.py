"""The connection of a migration, which holds a mutex: no two migrations run at a time.

The mutex belongs to the connection that runs the migration. A migrator that has lost the mutex
has lost the connection, and can change nothing.
"""

import os
import random
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count

from psycopg2 import errorcodes
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, OperationalError

from chassis.core.errors import BusyError
from chassis.postgres.engines import CONNECT_SECONDS, unpooled_engine
from chassis.postgres.error_translation import sqlstate
from chassis.postgres.locks import STATEMENT, holders, mutex_of
from chassis.project import current_project

MUTEX_POLL_SECONDS = 0.25
TOLD_SECONDS = 5.0  # Between two lines about a wait, or about progress.
LOCK_TIMEOUT, LONGEST_LOCK_TIMEOUT = 0.2, 2.0
IDLE = "61s"  # An unusual value: see `_refuse_a_pooler`.
OPTIONS = (
    f"-c lock_timeout={1000 * LOCK_TIMEOUT:.0f}ms -c statement_timeout=0 "
    f"-c idle_in_transaction_session_timeout={IDLE}"
)
TAKE_MUTEX = text("SELECT pg_try_advisory_lock(:mutex)")
NOTHING = text("SELECT")
GIVE_BACK = text("SELECT pg_advisory_unlock_all()")
# Describes a session of pg_stat_activity for operators.
WHO = f"""format('%s, process %s, %s, in a transaction for %s s: %s',
        coalesce(nullif(application_name, ''), 'unknown'), pid, state,
        round(extract(epoch FROM clock_timestamp() - xact_start)::numeric, 1),
        {STATEMENT})"""
# Sessions that may block a migration.
TRANSACTIONS = text(f"""
    SELECT {WHO}
    FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND xact_start < clock_timestamp() - '0.1 s'::interval
    ORDER BY xact_start LIMIT 3
""")  # noqa: S608


class PoolerError(Exception):
    """A pooler, which shares connections, is between the migrator and PostgreSQL."""

    def __init__(self) -> None:
        super().__init__(
            "A migration needs a connection of its own, and this one goes through a pooler such "
            "as PgBouncer. Set MIGRATION_DATABASE_URL to the address of PostgreSQL itself."
        )


class MutexHeldError(BusyError):
    """Another migrator is at work."""


@contextmanager
def migrator(
    url: str, *, wait: float, waiting: Callable[[str], object] = bool
) -> Iterator[Connection]:
    """A connection that holds the mutex; `waiting` gets a text about the present holder.

    Raise MutexHeldError if another one holds the mutex for longer than `wait` seconds, PoolerError
    if the connection is not one to PostgreSQL itself.
    """
    with direct_connection(url) as connection:
        _take_mutex(connection, wait, waiting)
        try:
            yield connection
        finally:
            _give_back(connection)


@contextmanager
def direct_connection(url: str) -> Iterator[Connection]:
    """A connection with a migrator's time limits. Raise PoolerError behind a pooler."""
    name = current_project().name
    engine = unpooled_engine(
        url,
        connect_args={
            "application_name": f"{name}-migrator:{socket.gethostname()}:{os.getpid()}"[:63],
            "connect_timeout": CONNECT_SECONDS,
            "options": OPTIONS,
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 3,
        },
    )
    try:
        connection = engine.connect()
    except OperationalError as error:
        if "unsupported startup parameter" in str(error):
            raise PoolerError from error
        raise
    with connection:
        _refuse_a_pooler(connection)
        _notice_a_killed_client(connection)
        yield connection


class LockedError(BusyError):
    """Another session holds a lock that the migration needs."""


def lock_timeout(first: float, longest: float, attempt: int) -> int:
    """The lock timeout in milliseconds; never 0, which would mean no limit."""
    longest = max(first, longest)
    return max(1, round(1000 * min(first * 1.3**attempt, longest)))


def retry_for_locks(
    connection: Connection,
    step: Callable[[], None],
    *,
    budget: float,
    timeouts: tuple[float, float] = (LOCK_TIMEOUT, LONGEST_LOCK_TIMEOUT),
    waiting: Callable[[str], object] = bool,
) -> int:
    """Run `step`, and repeat it while it cannot get a lock; return the number of failures.

    A statement that waits for a lock makes later statements wait. So the first try gives up after
    the first of the `timeouts`, others after up to the second. Raise LockedError after `budget`.
    """
    deadline = time.monotonic() + budget
    for attempt in count():
        milliseconds = lock_timeout(*timeouts, attempt)
        connection.execute(text(f"SET lock_timeout = {milliseconds}"))
        # Alembic takes an open transaction for the caller's, and would not commit.
        connection.commit()
        try:
            step()
        except DBAPIError as error:
            others = f"in the way may be {_holders_of_locks(connection, error)}"
            waiting(f"no lock within {milliseconds} ms, retrying; {others}")
            if time.monotonic() > deadline:
                raise LockedError(f"A lock was not available in time; {others}.") from error
        else:
            return attempt
        pause(connection, min(0.05 * 2**attempt, 5) * random.uniform(0.5, 1.5))  # noqa: S311
    raise AssertionError  # `count` has no end.


def _holders_of_locks(connection: Connection, error: DBAPIError) -> str:
    """The sessions that may hold the lock. Raise any error but a lock timeout again."""
    connection.rollback()
    if sqlstate(error) != errorcodes.LOCK_NOT_AVAILABLE:
        raise error
    others = "; ".join(connection.execute(TRANSACTIONS).scalars()) or "a session that has ended"
    connection.rollback()
    return others


def pause(connection: Connection, seconds: float) -> None:
    """Wait, with statements in between, which notice a signal or a lost connection."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        time.sleep(min(left, MUTEX_POLL_SECONDS))
        connection.execute(NOTHING)
        connection.rollback()


def _refuse_a_pooler(connection: Connection) -> None:
    """Raise PoolerError if options are dropped, or if statements reach different sessions."""
    timeout = connection.execute(text("SHOW idle_in_transaction_session_timeout")).scalar_one()
    processes = set()
    for _ in range(5):
        connection.rollback()
        processes.add(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())
    connection.rollback()
    if timeout != IDLE or len(processes) > 1:
        raise PoolerError


def _notice_a_killed_client(connection: Connection) -> None:
    """Make PostgreSQL end the statement and locks of a killed migrator at once.

    https://www.postgresql.org/docs/current/runtime-config-connection.html
    """
    try:
        connection.execute(text("SET client_connection_check_interval = '500ms'"))
        connection.commit()
    # PostgreSQL before 14, or a server on Windows, does not support this setting.
    except DBAPIError:
        connection.rollback()


def _give_back(connection: Connection) -> None:
    """Release the mutex at once: PostgreSQL notices a closed connection only some time later."""
    if not connection.invalidated:
        with suppress(DBAPIError):
            connection.rollback()
            connection.execute(GIVE_BACK)
            connection.commit()


def _take_mutex(connection: Connection, wait: float, waiting: Callable[[str], object]) -> None:
    reported = time.monotonic()
    deadline = reported + wait
    # Polled: a session that waits within PostgreSQL holds a snapshot, for which the mutex holder's
    # CREATE INDEX CONCURRENTLY would wait.
    while not connection.execute(TAKE_MUTEX, {"mutex": mutex_of(connection)}).scalar_one():
        others = "; ".join(holders(connection, mutex_of(connection)))
        connection.commit()
        if time.monotonic() > deadline:
            raise MutexHeldError(f"Another migration is running ({others or 'unknown'}).")
        if time.monotonic() > reported + TOLD_SECONDS:
            reported = time.monotonic()
            waiting(f"for another migration: {others or 'unknown'}")
        time.sleep(MUTEX_POLL_SECONDS)
    connection.commit()

"""Observes maintenance windows in a real database, as rows and as locks."""

import time
from collections.abc import Callable
from typing import Any
from unittest import TestCase

from sqlalchemy import Connection, Engine, NullPool, Row, create_engine, text

from chassis.core.errors import MaintenanceError
from chassis.development.testing.database_cases import DatabaseTestCase
from chassis.maintenance.sql_maintenance_windows import SqlMaintenanceWindows
from chassis.postgres.engines import Engines
from chassis.postgres.locks import ask_write_fence, mutex, write_fence

PATIENCE = 10
HANGS_SECONDS = 60  # Seconds that a test waits at most; no test judges speed.
INSERT = """
    INSERT INTO ops.window (kind, mode, phase, message, starts_at, expected_end, hard_end,
        from_revision, target_revision)
    SELECT :kind, :mode, :phase, :message, now + make_interval(secs => :begins),
        now + make_interval(secs => :ends), now + make_interval(secs => :expires),
        :from_revision, :target_revision
    FROM clock_timestamp() AS now RETURNING id
"""
DEFAULTS: dict[str, Any] = {
    "kind": "manual",
    "mode": "read-only",
    "phase": "active",
    "message": "",
    "begins": 0,
    "ends": None,
    "expires": None,
    "from_revision": None,
    "target_revision": None,
}
WAITING = """
    SELECT locktype FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE datname = current_database() AND NOT granted
"""


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + HANGS_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("What was waited for has not come.")
        time.sleep(0.005)


class WindowObserver(TestCase):
    """Reads a database on its own connection, and writes rows as other processes would."""

    database_url: str
    _outside: Engine

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls._outside = create_engine(cls.database_url, isolation_level="AUTOCOMMIT")
        cls.addClassCleanup(cls._outside.dispose)

    def sql(self, statement: str, **values: Any) -> list[Row[Any]]:
        with self._outside.connect() as connection:
            found = connection.execute(text(statement), values)
            return list(found) if found.returns_rows else []

    def connect(self, name: str = "tests") -> Connection:
        engine = create_engine(
            self.database_url, poolclass=NullPool, connect_args={"application_name": name}
        )
        return self.enterContext(engine.connect())

    def windows(self) -> SqlMaintenanceWindows:
        engines = Engines.connect(self.database_url, name="tests", pool_size=1)
        self.addCleanup(engines.dispose)
        return SqlMaintenanceWindows(engines.watch, self.database_url, source="cli")

    def insert_window(self, **values: Any) -> int:
        """Insert a window; `begins`, `ends` and `expires` are seconds from now."""
        [(identity,)] = self.sql(INSERT, **DEFAULTS | values)
        return int(identity)

    def last_window(self) -> Row[Any]:
        [found] = self.sql("SELECT * FROM ops.window ORDER BY id DESC LIMIT 1")
        return found

    def window_count(self) -> int:
        return len(self.sql("SELECT FROM ops.window"))

    def events(self) -> list[str]:
        return [event for (event,) in self.sql("SELECT event FROM ops.event ORDER BY id")]

    def awaited_locks(self) -> list[str]:
        """Return the types of locks that sessions wait for."""
        return [kind for (kind,) in self.sql(WAITING)]

    def writers_are_let_in(self) -> bool:
        try:
            with self._outside.connect() as connection:
                ask_write_fence(connection)
        except MaintenanceError:
            return False
        return True

    def is_held(self, key: int) -> bool:
        [(held,)] = self.sql("SELECT ops.is_held(:key)", key=key)
        return bool(held)

    def assert_nothing_held(self) -> None:
        wait_until(lambda: not self.is_held(mutex()))  # A connection that was just closed.
        self.assertFalse(self.is_held(write_fence()))


class WindowTestCase(WindowObserver, DatabaseTestCase):
    """A test case whose database has no window when a test begins."""

    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(self.sql, "TRUNCATE ops.window CASCADE")

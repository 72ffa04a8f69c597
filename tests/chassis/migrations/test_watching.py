"""`db upgrade` names its blockers, and can end idle transactions that block it."""

from contextlib import ExitStack, suppress
from functools import partial
from threading import Thread
from unittest.mock import patch

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from chassis.core.errors import BusyError
from chassis.maintenance import migrator
from chassis.maintenance.migrator import LockedError
from chassis.migrations import watching
from chassis.postgres.locks import ask_write_fence
from support.revisions import RevisionsTestCase
from support.windows import HANGS_SECONDS, wait_until

INDEX = 'operations.create_index_concurrently("things_id", "things", ["id"])'
ALTER = "ALTER TABLE things ADD COLUMN more text"
HOLD = "LOCK TABLE things IN ACCESS SHARE MODE"


class WatchingTest(RevisionsTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.enterContext(patch.object(watching, "TOLD_SECONDS", 0.2))

    def heard(self, text: str) -> list[str]:
        return [line for line in self.said if text in line]

    def test_who_waits_for_another_migration_says_so(self) -> None:
        self.enterContext(patch.object(migrator, "TOLD_SECONDS", 0.2))
        other = ExitStack()
        other.enter_context(migrator.migrator(self.database_url, wait=0))
        migration = Thread(target=partial(self.upgrade, wait=HANGS_SECONDS))
        migration.start()
        wait_until(lambda: self.heard("waiting: for another migration: "))
        self.assertRegex(self.said[0], r"-migrator:.+, process \d+")
        other.close()
        migration.join()

    def test_an_index_says_how_far_it_is_and_for_whom_it_waits(self) -> None:
        self.revision(code=INDEX)
        reader = self.connect("reporting")
        reader.exec_driver_sql("LOCK TABLE things IN ROW EXCLUSIVE MODE")
        migration = Thread(target=self.upgrade)
        migration.start()
        wait_until(lambda: self.heard("waiting: for reporting, process"))
        wait_until(lambda: self.heard("index: things"))
        reader.rollback()
        migration.join()
        self.assertEqual(self.current(), "0002")

    def test_an_idle_transaction_in_the_way_is_ended_and_named(self) -> None:
        for window in ("none", "full"):
            with self.subTest(window=window):
                number = self.revision(ALTER, maintenance=window)
                idle = self.connect("forgotten")
                idle.exec_driver_sql(HOLD)
                self.upgrade(terminate_blockers=True)
                self.assertEqual(self.current(), number)
                self.assertTrue(self.heard("ended: the transaction of forgotten, process"))
                self.assert_ended(idle)
                self.sql("ALTER TABLE things DROP COLUMN more")
                self.said.clear()

    def test_a_writer_that_is_idle_is_ended_so_that_a_window_opens(self) -> None:
        number = self.revision(ALTER, maintenance="read-only")
        writer = self.connect("forgotten")
        ask_write_fence(writer)
        self.upgrade(terminate_blockers=True)
        self.assertEqual(self.current(), number)
        self.assertTrue(self.heard("ended: the transaction of forgotten, process"))
        self.assert_ended(writer)

    def assert_ended(self, connection: Connection) -> None:
        with self.assertRaises(DBAPIError):
            connection.exec_driver_sql("SELECT 1")
        connection.invalidate()

    def test_nobody_is_ended_who_works_nor_without_the_option(self) -> None:
        self.revision(ALTER)
        idle = self.connect("idle")
        idle.exec_driver_sql(HOLD)
        with self.assertRaises(LockedError):
            self.upgrade(lock_budget=1.5)
        idle.exec_driver_sql("SELECT 1")
        idle.rollback()
        working = self.connect("working")
        working.exec_driver_sql(HOLD)
        work = Thread(target=_sleep, args=[working])
        work.start()
        wait_until(lambda: self.sql("SELECT FROM pg_stat_activity WHERE query LIKE '%pg_sleep(4)'"))
        with suppress(BusyError):
            self.upgrade(lock_budget=1.5, terminate_blockers=True)
        work.join()
        working.exec_driver_sql("SELECT 1")
        self.assertEqual(self.heard("ended:"), [])


def _sleep(connection: Connection) -> None:
    connection.exec_driver_sql("SELECT pg_sleep(4)")

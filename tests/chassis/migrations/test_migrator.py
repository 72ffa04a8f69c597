from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from threading import Thread, Timer
from unittest import TestCase

from sqlalchemy import Connection, NullPool, create_engine, text

from chassis.core.errors import BusyError
from chassis.development.testing.database_cases import empty_database
from chassis.maintenance.migrator import migrator, retry_for_locks


class MigratorTest(TestCase):
    def setUp(self) -> None:
        self.url = self.enterContext(empty_database())

    def connect(self) -> Connection:
        return self.enterContext(create_engine(self.url, poolclass=NullPool).connect())

    def locked_table(self) -> tuple[Connection, Callable[[Connection], None]]:
        """Run a reader that locks a table, and a change that has to wait for the reader."""
        reader = self.connect()
        reader.execute(text("CREATE TABLE things (id integer)"))
        reader.commit()
        reader.execute(text("SELECT * FROM things"))

        def change(connection: Connection) -> None:
            connection.execute(text("ALTER TABLE things ADD COLUMN name text"))
            connection.commit()

        return reader, change

    def test_there_is_one_at_a_time_and_it_is_named(self) -> None:
        with (
            migrator(self.url, wait=0),
            self.assertRaisesRegex(BusyError, r"\(.+-migrator:.+, process \d+, "),
            migrator(self.url, wait=0),
        ):
            pass

    def test_the_next_one_works_when_the_first_is_done(self) -> None:
        first = ExitStack()
        first.enter_context(migrator(self.url, wait=0))
        Timer(0.1, first.close).start()
        with migrator(self.url, wait=10) as connection:
            self.assertEqual(connection.execute(text("SELECT 1")).scalar(), 1)

    def test_a_lock_that_cannot_be_had_is_given_up(self) -> None:
        reader, change = self.locked_table()
        with migrator(self.url, wait=0) as connection, self.assertRaises(BusyError):
            retry_for_locks(connection, lambda: change(connection), budget=0.1)
        self.assertEqual(reader.execute(text("SELECT * FROM things")).keys(), ["id"])

    def test_it_goes_on_when_the_lock_is_free(self) -> None:
        reader, change = self.locked_table()
        Timer(0.25, reader.rollback).start()
        with migrator(self.url, wait=0) as connection:
            retry_for_locks(connection, lambda: change(connection), budget=30)
        self.assertIn("name", self.connect().execute(text("SELECT * FROM things")).keys())

    def test_nobody_waits_long_behind_it(self) -> None:
        reader, change = self.locked_table()
        other = self.connect()
        other.execute(text("SET lock_timeout = '500ms'"))  # A longer wait raises an error.
        other.commit()
        Timer(0.9, reader.rollback).start()
        with migrator(self.url, wait=0) as connection:
            run = partial(retry_for_locks, connection, lambda: change(connection), budget=30)
            migration = Thread(target=run)
            migration.start()
            while migration.is_alive():
                other.execute(text("SELECT * FROM things"))
                other.commit()
            migration.join()

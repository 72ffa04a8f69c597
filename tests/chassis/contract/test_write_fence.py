"""The write fence admits and excludes writers exactly, and a drain waits for them."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from io import StringIO
from typing import Any
from unittest.mock import patch

from psycopg2 import DatabaseError
from psycopg2.extensions import cursor
from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError

from chassis.core.errors import BusyError, MaintenanceError, NotFoundError, UnavailableError
from chassis.core.identity import uuid7
from chassis.core.request_scope import current_scope
from chassis.development.testing.database_cases import empty_database
from chassis.maintenance.drain import drain, release
from chassis.migrations.commands import Migrations
from chassis.postgres import unit_of_work_factory as module
from chassis.postgres.engines import Engines
from chassis.postgres.error_translation import WRITE_REFUSED
from chassis.postgres.locks import ask_write_fence, holders, write_fence
from chassis.postgres.unit_of_work_factory import SqlUnitOfWorkFactory, SqlWork
from support.specimens import Specimen, specimens
from support.windows import PATIENCE, WindowTestCase, wait_until

INSERT = "INSERT INTO specimens (id, text, version) VALUES (%s, %s, 1)"
PHASES = ("draining", "active", "migrating", "verifying", "failed")


class WriteFenceTest(WindowTestCase):
    engines: Engines
    unit_of_work: SqlUnitOfWorkFactory[SqlWork]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.engines = Engines.connect(cls.database_url, name="tests", pool_size=1)
        cls.addClassCleanup(cls.engines.dispose)
        specimens.create(cls.engines.write)

    def setUp(self) -> None:
        super().setUp()
        self.unit_of_work = SqlUnitOfWorkFactory(self.engines, SqlWork)

    def write(self, text: str = "written") -> None:
        with self.unit_of_work() as work:
            work.repository(specimens, Specimen).add(Specimen(text=text))

    def stored(self) -> list[str]:
        """Read the rows on another connection."""
        return [text for (text,) in self.sql("SELECT text FROM specimens ORDER BY text")]

    def assert_refused(self) -> None:
        with self.assertRaises(MaintenanceError):
            self.write("refused")
        self.assertNotIn("refused", self.stored())

    @contextmanager
    def draining(self) -> Iterator[Future[list[str]]]:
        """Wait for the fence in a thread; its result is the stored rows when it got the fence."""
        connection = self.connect()

        def keep_out() -> list[str]:
            drain(connection, PATIENCE)
            return self.stored()

        with ThreadPoolExecutor(1) as pool:
            drained = pool.submit(keep_out)
            wait_until(self.awaited_locks)
            yield drained

    def test_each_write_is_stored(self) -> None:
        for text in "abc":
            self.write(text)
            self.assertIn(text, self.stored())
        self.assert_nothing_held()

    def test_whoever_may_write_passes_it_and_a_reader_does_not(self) -> None:
        for read_only, passed in ((False, 1), (True, 0)):
            with self.unit_of_work(read_only=read_only) as work:
                with suppress(NotFoundError):
                    work.repository(specimens, Specimen).get(uuid7())
                self.assertEqual(len(holders(self.connect(), write_fence())), passed)

    def test_each_transaction_of_a_connection_passes_it_anew(self) -> None:
        for text in "ab":
            self.write(text)
            self.insert_window()
            self.assert_refused()
            self.sql("UPDATE ops.window SET phase = 'off'")

    def test_after_a_refusal_it_is_asked_for_beforehand_until_one_is_admitted(self) -> None:
        """A window must not fill PostgreSQL's log with failed statements."""
        asked: list[bool] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            asked.append(statement.startswith("SELECT ops.admit_write"))

        identity = self.insert_window()
        event.listen(self.engines.write, "before_cursor_execute", note)
        self.addCleanup(event.remove, self.engines.write, "before_cursor_execute", note)
        for _ in range(3):
            self.assert_refused()
        self.sql("DELETE FROM ops.window WHERE id = :id", id=identity)
        for text in "ab":
            self.write(text)
        self.assertEqual(asked, [False, True, True, True, False, False])

    def test_who_is_admitted_by_a_bypass_does_not_end_that(self) -> None:
        identity = self.insert_window()
        self.assert_refused()
        current_scope().admitted_window = identity
        self.write("admitted")
        current_scope().admitted_window = None
        with patch.object(module, "fence_statement", side_effect=AssertionError):
            self.assert_refused()

    def test_what_one_transaction_passes_the_next_does_not(self) -> None:
        self.write()
        with self.engines.write.begin() as connection:
            connection.exec_driver_sql("SELECT 1")
            self.assertEqual(holders(self.connect(), write_fence()), [])

    def test_a_first_statement_that_cannot_be_read_does_not_lead_round_it(self) -> None:
        with suppress(SQLAlchemyError), self.unit_of_work() as work:
            work.connection.exec_driver_sql("No SQL.")
        self.insert_window()
        with self.assertRaises(MaintenanceError), self.unit_of_work() as work:
            with suppress(SQLAlchemyError):
                work.connection.exec_driver_sql("No SQL.")
            work.repository(specimens, Specimen).add(Specimen(text="refused"))
        self.assertEqual(self.stored(), [])

    def test_several_rows_at_once_pass_it(self) -> None:
        self.insert_window()
        with self.assertRaises(MaintenanceError), self.unit_of_work() as work:
            rows = [(str(uuid7()), text) for text in "ab"]
            work.connection.exec_driver_sql(INSERT, rows)
        self.assertEqual(self.stored(), [])

    def test_the_driver_s_own_ways_to_write_pass_it(self) -> None:
        row = f"{uuid7()}\trefused\t1\n"
        self.sql(
            "CREATE OR REPLACE FUNCTION writes() RETURNS void LANGUAGE sql AS $$ "
            "INSERT INTO specimens SELECT gen_random_uuid(), 'refused', 1 $$"
        )
        ways: list[Callable[[Any], Any]] = [
            lambda driver: driver.cursor().copy_expert("COPY specimens FROM STDIN", StringIO(row)),
            lambda driver: driver.cursor().copy_from(StringIO(row), "specimens"),
            lambda driver: driver.cursor().callproc("writes"),
            lambda driver: driver.cursor(cursor_factory=cursor).execute("SELECT writes()"),
            lambda driver: (driver.commit(), driver.cursor().execute("SELECT writes()")),
        ]
        for number, way in enumerate(ways):
            with self.subTest(number):
                with self.unit_of_work() as work:
                    way(work.connection.connection)
                    self.assertTrue(self.is_held(write_fence()))
                    work.connection.connection.rollback()
                self.insert_window()
                with self.assertRaises(DatabaseError) as caught, self.unit_of_work() as work:
                    way(work.connection.connection)
                self.assertEqual(caught.exception.pgcode, WRITE_REFUSED)
                self.assertEqual(self.stored(), [])
                self.sql("TRUNCATE ops.window CASCADE")

    def test_a_refusal_that_is_not_listened_to_is_raised_at_the_end(self) -> None:
        self.insert_window()
        refused = self.assertRaises(MaintenanceError)
        with refused, self.unit_of_work() as work, suppress(SQLAlchemyError):
            work.connection.exec_driver_sql(INSERT, (str(uuid7()), "refused"))
        anew = SqlUnitOfWorkFactory(self.engines, SqlWork)
        with self.assertRaises(MaintenanceError), anew() as work:
            with suppress(SQLAlchemyError), work.connection.begin_nested():
                pass
            work.repository(specimens, Specimen).add(Specimen(text="refused"))
        self.assertEqual(self.stored(), [])

    def test_the_lock_of_a_writer_outlives_its_statements(self) -> None:
        """In autocommit the lock would end with the statement that takes it."""
        with self.engines.write.connect() as connection:
            self.assertNotEqual(connection.get_isolation_level(), "AUTOCOMMIT")
        careless = self.connect().execution_options(isolation_level="AUTOCOMMIT")
        ask_write_fence(careless)
        self.assertFalse(self.is_held(write_fence()))
        with self.unit_of_work() as work:
            work.repository(specimens, Specimen).add(Specimen(text="a"))
            self.assertTrue(self.is_held(write_fence()))

    def test_writers_do_not_keep_each_other_out(self) -> None:
        ask_write_fence(self.connect())
        self.write()
        self.assertEqual(self.stored(), ["written"])

    def test_nobody_writes_while_somebody_has_it(self) -> None:
        keeper = self.connect()
        drain(keeper, PATIENCE)
        self.assert_refused()  # A writer that waited would time out.
        release(keeper)
        self.write()

    def test_nobody_begins_to_write_while_somebody_waits_for_it(self) -> None:
        writer = self.connect()
        ask_write_fence(writer)
        with self.draining() as drained:
            self.assert_refused()
            self.assertFalse(drained.done())
            writer.commit()

    def test_nobody_waits_for_it_without_an_end(self) -> None:
        ask_write_fence(self.connect("web:slow"))
        keeper = self.connect()
        keeper.exec_driver_sql("SET statement_timeout = '1s'")
        with self.assertRaisesRegex(BusyError, "web:slow, process"):
            drain(keeper, 0)

    def test_who_writes_is_told_with_what_it_asked(self) -> None:
        specimen = Specimen(text="written")
        with self.unit_of_work() as work:
            work.repository(specimens, Specimen).add(specimen)
            [told] = holders(self.connect(), write_fence())
        self.assertRegex(
            told, r"tests, process \d+, idle in transaction for .* s: INSERT INTO spec"
        )

    def test_it_is_had_when_the_last_writer_has_committed(self) -> None:
        writer = ExitStack()
        work = writer.enter_context(self.unit_of_work())
        work.repository(specimens, Specimen).add(Specimen(text="last"))
        with self.draining() as drained:
            self.assertFalse(drained.done())
            writer.close()
        self.assertEqual(drained.result(), ["last"])

    def test_it_is_had_when_the_last_writer_has_failed(self) -> None:
        with suppress(ZeroDivisionError), self.unit_of_work() as work:
            work.repository(specimens, Specimen).add(Specimen(text="lost"))
            _ = 1 / 0
        keeper = self.connect()
        drain(keeper, 0.1)
        self.assertEqual(self.stored(), [])

    def test_a_window_keeps_writers_out_until_it_ends(self) -> None:
        cases: list[dict[str, Any]] = [
            *({"phase": phase} for phase in PHASES),
            {"mode": "full"},
            {"phase": "scheduled", "begins": -1, "ends": 60, "expires": 60},
            {"phase": "active", "begins": -2, "ends": -1},
            {"phase": "migrating", "kind": "migration", "expires": None},
        ]
        for values in cases:
            with self.subTest(values):
                identity = self.insert_window(**values)
                self.assert_refused()
                self.sql("UPDATE ops.window SET phase = 'off' WHERE id = :id", id=identity)
                self.write(str(identity))

    def test_a_window_that_has_not_begun_or_has_expired_does_not(self) -> None:
        for values in (
            {"phase": "scheduled", "begins": 60, "ends": 120, "expires": 120},
            {"phase": "scheduled", "begins": -120, "ends": -60, "expires": -60},
            {"phase": "active", "begins": -120, "ends": -60, "expires": -60},
            {"phase": "off"},
        ):
            with self.subTest(values):
                self.write(str(self.insert_window(**values)))

    def test_the_clock_opens_writes_under_no_migration(self) -> None:
        self.insert_window(phase="migrating", begins=-120, ends=-60, expires=-60)
        self.assert_refused()

    def test_a_refusal_says_which_window_it_was(self) -> None:
        identity = self.insert_window(message="Back at ten.", begins=0, ends=60)
        with self.assertRaisesRegex(MaintenanceError, "Back at ten") as caught:
            self.write()
        window = caught.exception.window
        assert window is not None
        self.assertEqual((window.id, window.is_open), (identity, True))
        self.assertAlmostEqual(window.seconds_left or 0, 60, delta=PATIENCE)
        self.assertIsNotNone(window.starts_at.tzinfo)

    def test_reading_goes_on(self) -> None:
        specimen = Specimen(text="written")
        with self.unit_of_work() as work:
            work.repository(specimens, Specimen).add(specimen)
        self.insert_window()
        drain(self.connect(), PATIENCE)
        with self.unit_of_work(read_only=True) as work:
            found = work.repository(specimens, Specimen).get(specimen.id)
        self.assertEqual(found.text, "written")

    def test_a_refused_writer_leaves_a_connection_that_works(self) -> None:
        identity = self.insert_window()
        self.assert_refused()
        self.assert_nothing_held()
        self.sql("DELETE FROM ops.window WHERE id = :id", id=identity)
        self.write()

    def test_a_bypass_admits_while_the_window_is_active_or_verified(self) -> None:
        for phase in PHASES:
            identity = self.insert_window(phase=phase)
            for bypass, admitted in (
                (identity, phase in {"active", "verifying"}),
                (identity + 1, False),
                (None, False),
            ):
                with self.subTest(phase=phase, bypass=bypass):
                    current_scope().admitted_window = bypass
                    self.addCleanup(setattr, current_scope(), "admitted_window", None)
                    if admitted:
                        self.write(phase)
                        self.assertIn(phase, self.stored())
                    else:
                        self.assert_refused()
            self.sql("DELETE FROM ops.window")

    def test_a_bypass_does_not_open_the_fence(self) -> None:
        identity = self.insert_window()
        drain(self.connect(), PATIENCE)
        with self.assertRaises(MaintenanceError), self.engines.write.begin() as connection:
            ask_write_fence(connection, bypass=identity)

    def test_one_that_an_earlier_release_made_is_brought_up_to_date(self) -> None:
        self.sql("DROP FUNCTION ops.pass_write_fence")
        with self.assertRaisesRegex(UnavailableError, "not migrated yet"):
            self.write()
        Migrations(self.database_url).upgrade()
        self.write()
        self.assertEqual(self.stored(), ["written"])

    def test_a_database_that_was_never_migrated_is_said_to_be(self) -> None:
        with empty_database() as url:
            engines = Engines.connect(url, name="tests", pool_size=1)
            self.addCleanup(engines.dispose)
            refused = self.assertRaisesRegex(UnavailableError, "not migrated yet")
            with refused, SqlUnitOfWorkFactory(engines, SqlWork)() as work:
                work.repository(specimens, Specimen).add(Specimen(text="a"))

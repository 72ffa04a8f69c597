"""A migration's window opens, excludes clients and closes as its revisions declare."""

from contextlib import suppress
from datetime import timedelta
from itertools import count
from threading import Event, Thread
from typing import Any
from unittest.mock import patch

from alembic.util import CommandError
from sqlalchemy import Connection, NullPool, create_engine, event, text
from sqlalchemy.exc import ProgrammingError

from chassis.core.errors import (
    BusyError,
    ConflictError,
    MaintenanceError,
    NotFoundError,
    UnavailableError,
)
from chassis.core.maintenance import MaintenanceMode, Window
from chassis.maintenance import sql_maintenance_windows
from chassis.maintenance.migrator import migrator
from chassis.maintenance.recovery import MigrationFailedError
from chassis.maintenance.window_log import AnotherServiceError
from chassis.migrations.commands import migration_scripts
from chassis.migrations.migration_window import migration_window
from chassis.migrations.plan import ContractInTheWayError, Options, plan_upgrade
from chassis.postgres.locks import ask_write_fence, mutex, write_fence
from chassis.project import Project, current_project
from support.revisions import FAIL_IF_EMPTY, LOOK, RevisionsTestCase
from support.windows import wait_until

FEW = 20


class MigrationWindowTest(RevisionsTestCase):
    def test_one_is_opened_drained_and_closed(self) -> None:
        head = self.revision(LOOK, maintenance="read-only")
        self.upgrade()
        self.assertEqual(self.seen(), [("read-only", "migrating", True, True)])
        window = self.last_window()
        self.assertEqual((window.phase, window.outcome), ("off", "completed"))
        self.assertEqual((window.from_revision, window.target_revision), ("0001", head))
        self.assertEqual(self.events(), ["draining", "migrating", "completed"])
        self.assert_nothing_held()
        self.assertTrue(self.writers_are_let_in())

    def test_the_fence_is_free_before_the_migrator_has_left(self) -> None:
        self.revision(LOOK, maintenance="read-only")
        with migrator(self.database_url, wait=0) as connection:
            plan = plan_upgrade(migration_scripts(), "0001", "head")
            with migration_window(connection, plan, Options()):
                self.assertTrue(self.is_held(write_fence()))
            self.assertFalse(self.is_held(write_fence()))

    def test_what_declares_that_it_needs_none_opens_none(self) -> None:
        self.revision(LOOK, maintenance="none")
        self.upgrade()
        self.assertEqual((self.seen(), self.window_count()), ([], 0))

    def test_what_declares_nothing_gets_the_strongest(self) -> None:
        for declared in (None, "weak"):
            with self.subTest(declared):
                self.revision(LOOK, maintenance=declared)
                self.upgrade()
                self.assertEqual(self.seen().pop()[0], "full")

    def test_each_revision_shuts_out_only_whom_it_must(self) -> None:
        """Revisions before the first and after the last that needs a window run outside of it."""
        for mode in ("none", "read-only", "none", "full", "none", "read-only", "none"):
            self.revision(f"INSERT INTO things VALUES (1); {LOOK}", maintenance=mode)
        self.upgrade()
        modes = [mode for mode, *_ in self.seen()]
        self.assertEqual(modes, ["read-only", "read-only", "full", "read-only", "read-only"])
        self.assertTrue(all(fenced for _, _, fenced, _ in self.seen()))
        self.assertEqual((self.window_count(), len(self.sql("SELECT FROM things"))), (1, 7))

    def test_what_runs_inside_because_of_its_neighbours_is_named(self) -> None:
        for mode in ("read-only", "none", "read-only", "none"):
            self.revision("SELECT 1", maintenance=mode)
        self.upgrade()
        [line] = [line for line in self.said if "only because" in line]
        self.assertIn("0003 runs in the window only because it lies between 0002 and 0004", line)
        self.assertIn("`python manage.py db upgrade 0002`, then `0003`, then the rest", line)

    def test_a_copy_and_the_drop_of_its_source_lose_nothing(self) -> None:
        """A client that writes all the time finds no gap between copy and drop."""
        self.revision("CREATE TABLE copied (id integer)", maintenance="none")
        self.revision("INSERT INTO copied SELECT id FROM things", maintenance="read-only")
        self.revision("SELECT pg_sleep(0.3)", maintenance="none")
        self.revision("DROP TABLE things", maintenance="full", phase="contract")
        written, end = list[int](), Event()

        def write() -> None:
            for number in count():
                if end.is_set():
                    return
                with suppress(MaintenanceError, ProgrammingError), engine.begin() as connection:
                    ask_write_fence(connection)
                    connection.execute(text("INSERT INTO things VALUES (:id)"), {"id": number})
                    connection.commit()
                    written.append(number)

        engine = create_engine(self.database_url)
        self.addCleanup(engine.dispose)
        writer = Thread(target=write)
        writer.start()
        try:
            wait_until(lambda: len(written) > FEW)
            self.upgrade()
        finally:
            end.set()
            writer.join()
        copied = [number for (number,) in self.sql("SELECT id FROM copied ORDER BY id")]
        self.assertEqual(copied, written)

    def test_a_weaker_mode_is_taken_only_by_force(self) -> None:
        self.revision(LOOK, maintenance="full")
        for weaker in (MaintenanceMode.NONE, MaintenanceMode.READ_ONLY):
            with self.assertRaisesRegex(CommandError, f"mode full; the mode {weaker} is weaker"):
                self.upgrade(maintenance=weaker)
        self.assertEqual((self.current(), self.window_count()), ("0001", 0))
        self.upgrade(maintenance=MaintenanceMode.READ_ONLY, force=True)
        self.assertEqual([mode for mode, *_ in self.seen()], ["read-only"])

    def test_a_stronger_mode_may_be_chosen(self) -> None:
        self.revision(LOOK, maintenance="none")
        self.upgrade(maintenance=MaintenanceMode.FULL)
        self.assertEqual([mode for mode, *_ in self.seen()], ["full"])

    def test_a_downgrade_runs_in_what_it_needs(self) -> None:
        self.revision("SELECT 1", down=f"INSERT INTO things VALUES (1); {LOOK}")
        self.upgrade()
        self.migrations().downgrade()
        self.assertEqual([mode for mode, *_ in self.seen()], ["full"])
        self.assertEqual(self.last_window().outcome, "completed")
        for needed, modes in (("none", []), ("read-only", ["read-only"])):
            with self.subTest(needed):
                self.sql("TRUNCATE things, seen")
                self.newest = 1
                self.revision(
                    "SELECT 1",
                    down=f"INSERT INTO things VALUES (1); {LOOK}",
                    measured={"downgrade_maintenance": needed},
                )
                self.upgrade()
                self.assertEqual(self.migrations().downgrade(), ("0002", "0001"))
                self.assertEqual([mode for mode, *_ in self.seen()], modes)
                self.assertEqual(len(self.sql("SELECT FROM things")), 1)

    def test_what_is_irreversible_is_not_taken_back(self) -> None:
        head = self.revision("SELECT 1", irreversible="The old values are gone.")
        self.upgrade()
        with self.assertRaisesRegex(CommandError, "cannot be taken back: The old values are gone"):
            self.migrations().downgrade()
        self.assertEqual((self.current(), self.window_count()), (head, 0))

    def test_it_waits_for_a_writer_and_sees_what_was_written(self) -> None:
        self.revision(
            "INSERT INTO seen SELECT id, 'backfilled', true, true FROM things",
            maintenance="read-only",
        )
        writer = self.connect()
        ask_write_fence(writer)
        writer.exec_driver_sql("INSERT INTO things VALUES (5)")
        migration = Thread(target=self.upgrade)
        migration.start()
        wait_until(self.awaited_locks)
        self.assertFalse(self.writers_are_let_in())
        writer.commit()
        migration.join()
        self.assertEqual([value for value, *_ in self.seen()], ["5"])

    def test_a_writer_who_does_not_end_stops_it_and_is_named(self) -> None:
        self.revision(LOOK, maintenance="read-only")
        writer = self.connect("web:slow")
        ask_write_fence(writer)
        with self.assertRaisesRegex(BusyError, "Still writing after 0.1 s: web:slow, process"):
            self.upgrade(drain_timeout=0.1)
        self.assertEqual((self.current(), self.seen()), ("0001", []))
        self.assertEqual(self.last_window().phase, "off")
        self.assertTrue(self.writers_are_let_in())
        writer.rollback()
        self.assert_nothing_held()
        self.upgrade(drain_timeout=0.1)

    def test_it_can_be_held_open_to_look_before_it_ends(self) -> None:
        self.revision(LOOK, maintenance="read-only")
        self.upgrade(hold=True)
        self.assertEqual(self.last_window().phase, "verifying")
        self.assertFalse(self.writers_are_let_in())
        self.assert_nothing_held()
        with self.connect() as connection:
            ask_write_fence(connection, bypass=self.last_window().id)
        self.windows().end()
        self.assertTrue(self.writers_are_let_in())

    def test_one_opened_by_hand_is_joined_and_given_back_as_it_was(self) -> None:
        self.insert_window(mode="read-only", message="By hand.")
        self.revision(LOOK, maintenance="full")
        self.upgrade()
        self.assertEqual(self.seen(), [("full", "migrating", True, True)])
        window = self.last_window()
        self.assertEqual((self.window_count(), window.message), (1, "By hand."))
        self.assertEqual((window.phase, window.mode), ("active", "read-only"))
        self.assertIsNone(window.target_revision)
        self.assertFalse(self.writers_are_let_in())

    def test_one_opened_by_hand_is_joined_by_what_needs_none(self) -> None:
        self.insert_window(phase="scheduled", begins=-1, ends=60, expires=60)
        self.revision(LOOK, maintenance="none")
        self.upgrade()
        self.assertEqual(self.seen(), [("read-only", "migrating", True, True)])
        self.assertEqual(self.last_window().phase, "active")

    def test_one_that_has_expired_is_not_in_the_way_of_the_next(self) -> None:
        self.insert_window(begins=-20, ends=-10, expires=-10)
        self.insert_window(phase="scheduled", begins=-5, ends=60, expires=60)
        self.revision(LOOK, maintenance="read-only")
        self.upgrade()
        self.assertEqual(self.seen(), [("read-only", "migrating", True, True)])

    def test_one_that_has_expired_is_not_joined(self) -> None:
        self.insert_window(begins=-2, ends=-1, expires=-1)
        self.revision(LOOK, maintenance="read-only")
        self.upgrade()
        outcomes = [row.outcome for row in self.sql("SELECT outcome FROM ops.window ORDER BY id")]
        self.assertEqual(outcomes, ["expired", "completed"])


class UpgradeTest(RevisionsTestCase):
    def test_it_is_where_it_says_that_it_is(self) -> None:
        head = self.revision("CREATE TABLE more ()")
        self.assertEqual(self.migrations().upgrade(), ("0001", head))
        self.assertEqual(self.current(), head)
        self.assertTrue(self.has_table("more"))

    def test_the_next_one_need_not_wait_for_one_that_has_ended(self) -> None:
        held: list[bool] = []

        def note(*_: object) -> None:
            held.append(self.is_held(mutex()))

        event.listen(NullPool, "close", note)
        self.addCleanup(event.remove, NullPool, "close", note)
        with migrator(self.database_url, wait=0):
            pass
        self.assertEqual(held, [False])

    def test_alembic_is_not_believed(self) -> None:
        """In an open transaction, Alembic applies nothing and reports success."""
        environment = self.versions.parent / "env.py"
        text = environment.read_text()
        trap = "attributes['connection'].exec_driver_sql('SELECT 1')\ncontext.configure("
        environment.write_text(text.replace("context.configure(", trap, 1))
        for mode in ("none", "read-only"):
            self.newest = 1
            head = self.revision("CREATE TABLE more ()", maintenance=mode)
            with (
                self.subTest(mode),
                self.assertRaisesRegex(CommandError, f"is at 0001, not at {head}"),
            ):
                self.upgrade()
        self.assertEqual(self.last_window().outcome, "rolled back")

    def test_a_contract_revision_can_wait(self) -> None:
        first = self.revision("CREATE TABLE more ()", phase="expand")
        self.revision("DROP TABLE things", phase="contract")
        last = self.revision("CREATE TABLE most ()", phase="expand")
        for _ in range(2):
            with self.assertRaisesRegex(
                ContractInTheWayError, rf"is at {first}. {last} \(expand\) was not"
            ):
                self.upgrade(until_expand=True)
            self.assertEqual(self.current(), first)
        self.upgrade()
        self.assertEqual(self.current(), last)

    def test_the_lock_timeout_of_the_first_try_can_be_chosen(self) -> None:
        self.revision("INSERT INTO seen SELECT current_setting('lock_timeout')")
        self.upgrade(lock_timeout=0.3)
        self.assertEqual([value for value, *_ in self.seen()], ["300ms"])

    def test_no_try_goes_without_a_lock_timeout(self) -> None:
        self.revision("INSERT INTO seen SELECT current_setting('lock_timeout')")
        self.upgrade(lock_timeout=0)
        self.assertNotEqual([value for value, *_ in self.seen()], ["0"])

    def test_what_blocks_a_change_for_too_long_stops_it_and_is_named(self) -> None:
        self.revision("ALTER TABLE things ADD COLUMN name text", maintenance="read-only")
        reader = self.connect("reporting")
        reader.exec_driver_sql("SELECT * FROM things")
        with self.assertRaisesRegex(BusyError, "in the way may be reporting"):
            self.upgrade(lock_timeout=0.2, lock_budget=0)
        self.assertEqual((self.current(), self.last_window().outcome), ("0001", "rolled back"))
        self.assertTrue([one for one in self.said if "0002: no lock within 200 ms" in one])

    def test_each_step_is_noted_as_begun_and_done(self) -> None:
        head = self.revision(LOOK, maintenance="read-only")
        self.upgrade()
        [step] = self.sql("SELECT * FROM ops.step WHERE revision = :head", head=head)
        self.assertEqual((step.window_id, step.direction), (self.last_window().id, "upgrade"))
        self.assertEqual((step.kind, bool(step.finished_at)), ("transaction", True))

    def test_in_a_single_transaction_it_is_all_or_nothing(self) -> None:
        self.revision("CREATE TABLE more ()", maintenance="read-only")
        head = self.revision(FAIL_IF_EMPTY)
        with self.assertRaisesRegex(Exception, "division by zero"):
            self.upgrade(single_transaction=True)
        self.assertEqual((self.current(), self.has_table("more")), ("0001", False))
        self.assertEqual(self.last_window().outcome, "rolled back")
        self.sql("INSERT INTO things VALUES (1)")
        self.upgrade(single_transaction=True)
        self.assertEqual((self.current(), self.has_table("more")), (head, True))
        done = self.sql("SELECT revision FROM ops.step WHERE finished_at IS NOT NULL")
        self.assertLessEqual({("0002",), ("0003",)}, {tuple(row) for row in done})

    def test_what_needs_none_cannot_be_in_a_single_one(self) -> None:
        self.revision(
            code='operations.create_index_concurrently("things_id", "things", ["id"])',
            maintenance="read-only",
        )
        with self.assertRaisesRegex(CommandError, "0002 cannot run in a transaction"):
            self.upgrade(single_transaction=True)
        self.assertEqual((self.current(), self.window_count()), ("0001", 0))


class ProbeTest(RevisionsTestCase):
    """Another session holds a lock that the revision needs: no window opens during the wait."""

    RENAME = "ALTER TABLE things RENAME COLUMN id TO number"

    def blocked(self, **declared: Any) -> Connection:
        self.revision(self.RENAME, maintenance="full", **declared)
        reader = self.connect("reporting")
        reader.exec_driver_sql("SELECT * FROM things")
        return reader

    def test_no_window_is_opened_while_a_lock_cannot_be_had(self) -> None:
        for measured in (None, {"upgrade": {"things": "AccessExclusiveLock, rewrite"}}):
            with self.subTest(measured):
                self.newest = 1
                reader = self.blocked(measured=measured)
                with self.assertRaisesRegex(BusyError, "in the way may be reporting"):
                    self.upgrade(lock_budget=1)
                self.assertEqual((self.current(), self.window_count()), ("0001", 0))
                self.assertTrue([one for one in self.said if "retrying" in one])
                reader.rollback()

    def test_nobody_is_shut_out_until_it_can(self) -> None:
        reader = self.blocked(measured=None)
        migration = Thread(target=self.upgrade)
        migration.start()
        wait_until(lambda: len([one for one in self.said if "probe: no lock" in one]) > 1)
        self.assertEqual(self.window_count(), 0)
        self.assertTrue(self.writers_are_let_in())
        reader.rollback()
        migration.join()
        self.assertEqual((self.current(), self.last_window().outcome), ("0002", "completed"))

    def test_what_a_lock_does_not_need_is_not_in_the_way(self) -> None:
        reader = self.blocked(
            measured={"upgrade": {"things": "ShareUpdateExclusiveLock, scan", "none": "ShareLock"}}
        )
        # The revision needed a stricter window than it declared.
        with self.assertRaises(BusyError):
            self.upgrade(lock_budget=0)
        self.assertEqual(self.last_window().outcome, "rolled back")
        reader.rollback()

    def test_a_try_leaves_nothing_behind(self) -> None:
        head = self.revision(
            f"INSERT INTO things VALUES (1); {LOOK}", maintenance="read-only", measured=None
        )
        self.upgrade()
        self.assertEqual((self.current(), len(self.sql("SELECT FROM things"))), (head, 1))
        self.assertEqual(self.seen(), [("read-only", "migrating", True, True)])

    def test_a_long_one_is_tried_for_a_moment_only(self) -> None:
        self.revision("SELECT pg_sleep(0.5)", self.RENAME, maintenance="read-only", measured=None)
        self.upgrade()
        self.assertEqual(self.current(), "0002")

    def test_what_commits_by_itself_is_not_tried(self) -> None:
        for code in ("op.execute('COMMIT')", "op.execute('cOmMiT; INSERT INTO things VALUES (1)')"):
            self.revision(
                code=f"{code}\n    raise KeyboardInterrupt", maintenance="read-only", measured=None
            )
            with self.assertRaises((KeyboardInterrupt, MigrationFailedError)):
                self.upgrade()
            self.assertEqual(self.window_count(), 1)
            self.sql("TRUNCATE ops.window CASCADE")
            self.newest = 1

    def test_a_lock_is_given_up_inside_and_the_window_is_closed_meanwhile(self) -> None:
        """Another session took the lock between the probe and the revision."""
        code = f"""
    op.execute("SELECT pg_notify('x', '')")
    op.execute("{self.RENAME}")"""
        self.revision(code=code.strip(), maintenance="read-only")
        reader = self.connect("reporting")
        reader.exec_driver_sql("SELECT * FROM things")
        migration = Thread(target=self.upgrade)
        migration.start()
        wait_until(lambda: [one for one in self.said if "closed until the locks can be had" in one])
        [first, *_] = self.sql("SELECT outcome FROM ops.window ORDER BY id")
        self.assertEqual(first.outcome, "rolled back")
        reader.rollback()
        migration.join()
        self.assertEqual((self.current(), self.last_window().outcome), ("0002", "completed"))

    def test_after_a_step_the_fence_is_kept_until_the_next_one_has_its_locks(self) -> None:
        self.revision("SELECT 1", maintenance="read-only")
        self.revision(self.RENAME, maintenance="read-only")
        reader = self.connect("reporting")
        reader.exec_driver_sql("SELECT * FROM things")
        migration = Thread(target=self.upgrade)
        migration.start()
        wait_until(lambda: len([one for one in self.said if "0003: no lock" in one]) > 1)
        self.assertFalse(self.writers_are_let_in())
        reader.rollback()
        migration.join()
        self.assertEqual((self.current(), self.window_count()), ("0003", 1))


class EmergencyTest(RevisionsTestCase):
    """An operator opens a window while a migration runs."""

    def setUp(self) -> None:
        super().setUp()
        self.holder = self.connect()
        self.holder.exec_driver_sql("SELECT pg_advisory_lock(1)")

    def begin(self) -> Thread:
        """Start a migration whose revision 0002 needs no window, and waits for a lock."""
        self.revision("SET lock_timeout = 0", "SELECT pg_advisory_xact_lock(1)")
        self.revision(LOOK, maintenance="read-only")
        migration = Thread(target=self.upgrade)
        migration.start()
        wait_until(lambda: "advisory" in self.awaited_locks())
        return migration

    def open(self, mode: MaintenanceMode = MaintenanceMode.FULL) -> Window:
        return self.windows().start(mode, "Fire.", None, patience=timedelta(seconds=1))

    def test_it_is_opened_and_ended(self) -> None:
        migration = self.begin()
        window = self.open()
        self.assertEqual((window.phase, window.mode), ("active", "full"))
        self.assertFalse(self.writers_are_let_in())
        with self.assertRaisesRegex(ConflictError, f"Window {window.id} is open already"):
            self.open()
        with self.assertRaisesRegex(NotFoundError, f"Window {window.id - 1} is not open"):
            self.windows().end(window_id=window.id - 1)
        self.windows().end(window_id=window.id)
        self.assertTrue(self.writers_are_let_in())
        self.holder.close()
        migration.join()
        self.assertEqual((self.current(), self.window_count()), ("0003", 2))

    def test_it_is_joined_and_given_back(self) -> None:
        migration = self.begin()
        self.open()
        self.holder.close()
        migration.join()
        self.assertEqual(self.seen(), [("full", "migrating", True, True)])
        window = self.last_window()
        self.assertEqual((self.window_count(), window.phase, window.mode), (1, "active", "full"))
        self.assertFalse(self.writers_are_let_in())

    def test_who_still_writes_is_named_and_it_is_taken_back(self) -> None:
        migration = self.begin()
        writer = self.connect("web:slow")
        ask_write_fence(writer)
        with self.assertRaisesRegex(BusyError, "web:slow"):
            self.open()
        self.assertEqual(self.last_window().outcome, "aborted")
        writer.rollback()
        self.holder.close()
        migration.join()

    def test_one_that_another_command_ends_is_not_called_a_migration(self) -> None:
        self.windows().start(MaintenanceMode.READ_ONLY, "", None, patience=timedelta(seconds=1))
        is_untouched = sql_maintenance_windows._is_untouched

        def ended_before(connection: Connection, identity: int) -> bool:
            self.sql("UPDATE ops.window SET phase = 'off'")
            return is_untouched(connection, identity)

        with migrator(self.database_url, wait=0):
            with (
                patch.object(sql_maintenance_windows, "_is_untouched", ended_before),
                self.assertRaisesRegex(NotFoundError, "No window is open"),
            ):
                self.windows().end()
            with self.assertRaisesRegex(NotFoundError, "No window is open"):
                self.windows().end()

    def test_that_of_a_migration_is_not_ended_under_it(self) -> None:
        self.revision(
            "SET lock_timeout = 0", "SELECT pg_advisory_xact_lock(1)", maintenance="read-only"
        )
        migration = Thread(target=self.upgrade)
        migration.start()
        wait_until(lambda: "advisory" in self.awaited_locks())
        with self.assertRaisesRegex(BusyError, "Another migration is running"):
            self.windows().end()
        with self.assertRaisesRegex(ConflictError, "is open already"):
            self.open()
        self.holder.close()
        migration.join()
        self.assertEqual(self.last_window().outcome, "completed")


class AnotherServiceTest(RevisionsTestCase):
    """A second service in the same schema is rejected before it writes anything."""

    def setUp(self) -> None:
        super().setUp()
        # The project's upgrade recorded its name as the owner.
        self.identity = self.insert_window(kind="migration", phase="migrating")
        about = current_project().about | {"name": "another"}
        self.enterContext(patch.object(Project, "about", about))

    def test_it_does_not_migrate(self) -> None:
        self.revision("CREATE TABLE more ()")
        for action in (self.upgrade, lambda: self.migrations().stamp("0002")):
            with self.assertRaisesRegex(AnotherServiceError, "belongs to the service .*, and this"):
                action()
        self.assertEqual((self.current(), self.has_table("more")), ("0001", False))
        self.assertEqual(self.last_window().phase, "migrating")

    def test_it_touches_no_window(self) -> None:
        windows = self.windows()
        for action in (windows.settle_orphan, windows.end, lambda: windows.cancel(self.identity)):
            with self.assertRaises(UnavailableError):
                action()
        with self.assertRaises(UnavailableError):
            windows.start(MaintenanceMode.FULL, "", None, patience=timedelta())
        self.assertEqual((self.last_window().phase, self.window_count()), ("migrating", 1))

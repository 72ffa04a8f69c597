"""The window that a migration opens, and what happens inside it."""

from threading import Thread

from alembic.util import CommandError
from sqlalchemy import NullPool, event

from chassis.core.errors import BusyError
from chassis.core.maintenance import MaintenanceMode
from chassis.maintenance.migrator import migrator
from chassis.migrations.commands import ContractInTheWayError, migration_scripts
from chassis.migrations.migration_window import migration_window
from chassis.migrations.plan import Options, plan_upgrade
from chassis.postgres.locks import ask_write_fence, mutex, write_fence
from support.revisions import FAIL_IF_EMPTY, LOOK, RevisionsTestCase
from support.windows import wait_until


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
            with migration_window(connection, plan, plan.mode, Options()):
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

    def test_the_strongest_that_any_revision_needs_is_opened_once(self) -> None:
        self.revision(LOOK, maintenance="none")
        self.revision(LOOK, maintenance="read-only")
        self.upgrade()
        self.assertEqual([mode for mode, *_ in self.seen()], ["read-only", "read-only"])
        self.assertEqual(self.window_count(), 1)

    def test_a_weaker_mode_is_taken_only_by_force(self) -> None:
        self.revision(LOOK, maintenance="full")
        for weaker in (MaintenanceMode.NONE, MaintenanceMode.READ_ONLY):
            with self.assertRaisesRegex(CommandError, f"mode full, {weaker} is weaker"):
                self.upgrade(maintenance=weaker)
        self.assertEqual((self.current(), self.window_count()), ("0001", 0))
        self.upgrade(maintenance=MaintenanceMode.READ_ONLY, force=True)
        self.assertEqual([mode for mode, *_ in self.seen()], ["read-only"])

    def test_a_stronger_mode_may_be_chosen(self) -> None:
        self.revision(LOOK, maintenance="none")
        self.upgrade(maintenance=MaintenanceMode.FULL)
        self.assertEqual([mode for mode, *_ in self.seen()], ["full"])

    def test_a_downgrade_runs_in_a_full_one(self) -> None:
        self.revision("SELECT 1", down=LOOK)
        self.upgrade()
        self.migrations().downgrade()
        self.assertEqual([mode for mode, *_ in self.seen()], ["full"])
        self.assertEqual(self.last_window().outcome, "completed")

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
        """Where a transaction is open already it applies nothing, and says that all is well."""
        environment = self.versions.parent / "env.py"
        text = environment.read_text()
        trap = "given['connection'].exec_driver_sql('SELECT 1')\ncontext.configure("
        environment.write_text(text.replace("context.configure(", trap, 1))
        for mode in ("none", "read-only"):
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
        self.assertIn("0002: no lock within 200 ms, retrying", self.said[-1])

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

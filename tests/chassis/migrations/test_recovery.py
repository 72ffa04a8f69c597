"""A window ends correctly when its migration fails or its owner dies."""

from contextlib import suppress
from datetime import timedelta
from unittest.mock import patch

from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

from chassis.core.errors import BusyError, ConflictError
from chassis.core.maintenance import MaintenanceMode
from chassis.maintenance.migrator import LockedError, migrator
from chassis.maintenance.recovery import ConnectionLostError, MigrationFailedError
from chassis.migrations import runner
from chassis.migrations.runner import RevisionError
from chassis.postgres.locks import ask_write_fence
from support.revisions import FAIL_IF_EMPTY, LOOK, RevisionsTestCase

UNIQUE_INDEX = 'operations.create_index_concurrently("things_id", "things", ["id"], unique=True)'
KILLED_IF_EMPTY = """
    SELECT pg_terminate_backend(pg_backend_pid()) WHERE NOT EXISTS (SELECT FROM things)
"""
NO_MIGRATION = {"from_revision": None, "target_revision": None}
NO_WAIT = timedelta(0)
HALF_DONE = """
    INSERT INTO ops.step (window_id, revision, direction, kind, checksum)
    VALUES (:window, :revision, 'upgrade', 'autocommit', '')
"""
DONE = """
    INSERT INTO ops.step (window_id, revision, direction, kind, checksum, leads_to, finished_at)
    VALUES (:window, '0001', 'upgrade', 'transaction', '', '0001', now())
"""


class FailureTest(RevisionsTestCase):
    def fails_between_two_revisions(self) -> None:
        """Run revisions of which 0003 fails until `things` has a row."""
        self.revision("CREATE TABLE more ()", down="DROP TABLE more", maintenance="read-only")
        self.revision(FAIL_IF_EMPTY, maintenance="read-only")
        with self.assertRaisesRegex(DBAPIError, "division by zero"):
            self.upgrade()
        self.assert_nothing_held()

    def fails_in_autocommit(self, after: str = "0001") -> None:
        """Insert duplicates, and run a revision behind `after` that leaves an invalid index."""
        self.sql("INSERT INTO things VALUES (1), (1)")
        self.revision(code=UNIQUE_INDEX, maintenance="read-only")
        with self.assertRaisesRegex(MigrationFailedError, "could not create unique index"):
            self.upgrade()
        self.assertEqual((self.current(), self.last_window().phase), (after, "failed"))
        self.assertEqual(self.index_is_valid(), [False])

    def index_is_valid(self) -> list[bool]:
        found = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('things_id')"
        return [valid for (valid,) in self.sql(found)]

    def test_a_schema_that_is_unchanged_needs_no_window(self) -> None:
        head = self.revision("CREATE TABLE more ()", FAIL_IF_EMPTY, maintenance="read-only")
        with self.assertRaisesRegex(Exception, "division by zero"):
            self.upgrade()
        self.assertEqual((self.current(), self.has_table("more")), ("0001", False))
        window = self.last_window()
        self.assertEqual((window.phase, window.outcome), ("off", "rolled back"))
        self.assert_nothing_held()
        [step] = self.sql("SELECT finished_at FROM ops.step WHERE revision = :head", head=head)
        self.assertIsNone(step.finished_at)
        self.assertTrue(self.writers_are_let_in())

    def test_a_schema_at_a_revision_in_between_needs_no_window(self) -> None:
        self.fails_between_two_revisions()
        window = self.last_window()
        self.assertEqual((self.current(), window.phase), ("0002", "off"))
        self.assertEqual(window.outcome, "partly applied")
        self.assertIn("schema: is at 0002", self.said)
        self.assertTrue(self.writers_are_let_in())

    def test_nor_does_one_that_was_being_taken_back(self) -> None:
        for down in ("SELECT 1 / 0", "DROP TABLE more"):
            self.revision("CREATE TABLE IF NOT EXISTS more ()", down=down)
        self.upgrade()
        with self.assertRaisesRegex(DBAPIError, "division by zero"):
            self.migrations().downgrade("0001")
        self.assertEqual((self.current(), self.last_window().outcome), ("0002", "partly applied"))
        self.assertTrue(self.writers_are_let_in())

    def test_what_was_written_since_is_not_lost_by_going_on(self) -> None:
        self.fails_between_two_revisions()
        self.sql("INSERT INTO things VALUES (1)")
        with self.assertRaisesRegex(CommandError, r"#1 ended after 0002, .* --accept-writes"):
            self.upgrade()
        self.assertEqual((self.current(), self.window_count()), ("0002", 1))
        self.migrations().downgrade()
        self.upgrade()
        self.assertEqual((self.current(), self.has_table("more")), ("0003", True))

    def test_a_copy_whose_drop_fails_is_made_again(self) -> None:
        self.revision(
            "CREATE TABLE copied AS SELECT id FROM things",
            down="DROP TABLE copied",
            maintenance="read-only",
        )
        self.revision("DROP TABLE things", maintenance="read-only", phase="contract")
        reader = self.connect("reporting")
        self.enterContext(patch.object(runner, "LATER_SECONDS", 0.1))
        # Without the probe: the reader takes its lock right after a probe would have ended.
        self.enterContext(patch.object(runner, "probe"))
        reader.exec_driver_sql("SELECT FROM things")
        with self.assertRaises(LockedError):
            self.upgrade()
        reader.rollback()
        self.assertTrue(self.writers_are_let_in())
        self.assert_copied_again()

    def assert_copied_again(self) -> None:
        """Assert that the drop is refused after a write, and drops nothing that was not copied."""
        self.sql("INSERT INTO things VALUES (7)")
        with self.assertRaisesRegex(CommandError, "#1 ended after 0002"):
            self.upgrade()
        self.migrations().downgrade()
        self.upgrade()
        [(found,)] = self.sql("SELECT id FROM copied")
        self.assertEqual((found, self.has_table("things")), (7, False))

    def test_a_copy_whose_owner_was_killed_before_the_drop_is_made_again(self) -> None:
        """A service that lives ends the window, and writes between the two revisions."""
        self.revision(
            "CREATE TABLE copied AS SELECT id FROM things",
            down="DROP TABLE copied",
            maintenance="read-only",
        )
        self.revision(KILLED_IF_EMPTY, "DROP TABLE things", maintenance="read-only")
        with self.assertRaises(ConnectionLostError):
            self.upgrade()
        self.assertFalse(self.writers_are_let_in())
        self.windows().settle_orphan()
        self.assertTrue(self.writers_are_let_in())
        self.assert_copied_again()

    def test_so_it_is_after_an_operator_has_accepted_the_schema_in_between(self) -> None:
        self.revision("CREATE TABLE copied AS SELECT id FROM things", maintenance="read-only")
        self.fails_in_autocommit("0002")
        self.windows().end("0002")
        with self.assertRaisesRegex(CommandError, "#1 ended after 0002"):
            self.upgrade()

    def test_the_next_upgrade_completes_it_if_that_does_not_matter(self) -> None:
        self.fails_between_two_revisions()
        self.sql("INSERT INTO things VALUES (1)")
        self.upgrade(accept_writes=True)
        window = self.last_window()
        self.assertEqual((self.current(), self.window_count()), ("0003", 2))
        self.assertEqual((window.outcome, window.from_revision), ("completed", "0002"))

    def test_a_blocked_drain_does_not_end_what_failed(self) -> None:
        self.fails_in_autocommit()
        writer = self.connect()  # The request begins before the window.
        self.sql("UPDATE ops.window SET phase = 'off'")
        ask_write_fence(writer)
        self.sql("UPDATE ops.window SET phase = 'failed'")
        with self.assertRaises((BusyError, MigrationFailedError)):
            self.upgrade(drain_timeout=0.1)
        self.assertEqual(self.last_window().phase, "failed")

    def test_it_is_ended_by_hand_only_by_who_knows_the_revision(self) -> None:
        self.fails_in_autocommit()
        for wrong in (None, "0002"):
            with self.assertRaisesRegex(ConflictError, "--accept-schema 0001"):
                self.windows().end(wrong)
        self.windows().end("0001")
        self.assertEqual(self.last_window().outcome, "forced")

    def test_a_half_done_step_keeps_it_and_the_next_upgrade_repairs_it(self) -> None:
        self.fails_in_autocommit()
        self.assertFalse(self.writers_are_let_in())
        self.sql("TRUNCATE things")
        self.upgrade()
        self.assertEqual((self.current(), self.index_is_valid()), ("0002", [True]))
        self.assertEqual(self.last_window().outcome, "completed")
        self.assertEqual(self.window_count(), 1)

    def test_a_step_that_fails_before_its_first_commit_needs_no_window(self) -> None:
        self.revision(code="operations.drop_index_concurrently('x')", maintenance="full")
        with self.assertRaisesRegex(RevisionError, "missing 1 required positional argument"):
            self.upgrade()
        self.assertEqual((self.current(), self.last_window().outcome), ("0001", "rolled back"))
        self.assertTrue(self.writers_are_let_in())

    def test_a_commit_before_the_failure_keeps_it(self) -> None:
        half = 'op.execute("CREATE TABLE more ()"); operations.add_enum_value("no", "x")'
        self.revision(code=half, maintenance="read-only")
        with self.assertRaisesRegex(MigrationFailedError, 'type "no" does not exist'):
            self.upgrade()
        self.assertEqual((self.last_window().phase, self.has_table("more")), ("failed", True))

    def test_who_fails_later_in_the_same_window_proves_nothing_of_the_earlier_try(self) -> None:
        self.fails_in_autocommit()
        self.newest = 1
        self.revision(code="[][0]  # index_concurrently(", maintenance="read-only")
        with self.assertRaisesRegex(MigrationFailedError, "IndexError"):
            self.upgrade()
        self.assertEqual(self.last_window().phase, "failed")

    def test_a_failed_downgrade_names_the_command_that_goes_on(self) -> None:
        self.sql("INSERT INTO things VALUES (1), (1)")
        name = self.revision("SELECT 1", down="DOWN")
        file = self.versions / f"{name}_test.py"
        file.write_text(file.read_text().replace("op.execute('DOWN')", UNIQUE_INDEX))
        self.revision("SELECT 1", maintenance="read-only")
        self.upgrade(name)
        again = r"[^.]\. The schema .* run `python manage\.py db downgrade 0001` again\."
        with self.assertRaisesRegex(MigrationFailedError, again):
            self.migrations().downgrade()
        self.sql("TRUNCATE things")
        self.migrations().downgrade("0001")
        self.assertEqual((self.current(), self.last_window().outcome), ("0001", "completed"))

    def test_an_upgrade_without_anything_to_do_does_not_end_what_is_half_done(self) -> None:
        self.fails_in_autocommit()
        with suppress(MigrationFailedError):
            self.upgrade("0001")
        self.assertEqual(self.last_window().phase, "failed")

    def test_one_opened_by_hand_is_given_back_as_it_was(self) -> None:
        self.insert_window(mode="read-only")
        self.revision(FAIL_IF_EMPTY, maintenance="full")
        with self.assertRaisesRegex(Exception, "division by zero"):
            self.upgrade()
        window = self.last_window()
        self.assertEqual((window.phase, window.target_revision), ("active", None))
        self.assertEqual(window.mode, "read-only")

    def test_an_interrupted_one_is_taken_back(self) -> None:
        self.revision(code="raise KeyboardInterrupt", maintenance="read-only")
        with self.assertRaises(KeyboardInterrupt):
            self.upgrade()
        self.assertEqual((self.current(), self.last_window().outcome), ("0001", "rolled back"))
        self.assert_nothing_held()

    def test_an_interrupted_one_says_where_the_schema_is(self) -> None:
        self.revision("SELECT 1", maintenance="read-only")
        self.revision(code="raise KeyboardInterrupt", maintenance="read-only")
        with self.assertRaises(KeyboardInterrupt):
            self.upgrade()
        self.assertIn("schema: is at 0002", self.said)
        self.assertEqual(self.last_window().outcome, "partly applied")

    def test_who_has_lost_the_connection_has_lost_the_mutex_and_settles_nothing(self) -> None:
        self.revision("SELECT pg_terminate_backend(pg_backend_pid())", maintenance="read-only")
        with self.assertRaisesRegex(
            ConnectionLostError, "The connection was lost.* ends by itself"
        ):
            self.upgrade()
        self.assertEqual(self.events(), ["draining", "migrating"])
        self.windows().settle_orphan()
        self.assertEqual(self.last_window().outcome, "rolled back")

    def test_a_mistake_of_the_caller_opens_none(self) -> None:
        with self.assertRaises(CommandError):
            self.upgrade("nope")
        self.assertEqual(self.window_count(), 0)


class OrphanTest(RevisionsTestCase):
    """A window whose owner died: the row exists, and no session holds the mutex."""

    def orphan(self, **values: str | None) -> int:
        described = {"kind": "migration", "phase": "migrating", "from_revision": "0001"}
        return self.insert_window(**described | {"target_revision": "0002"} | values)

    def outcome(self) -> tuple[str, str | None]:
        window = self.last_window()
        return window.phase, window.outcome

    def test_it_is_known_to_be_one_until_it_is_settled(self) -> None:
        self.orphan()
        windows = self.windows()
        found = windows.current()
        assert found is not None
        self.assertTrue(found.orphaned)
        windows.settle_orphan()
        self.assertIsNone(windows.current())
        self.assertEqual(self.events(), ["rolled back"])

    def test_what_is_proven_ends_it(self) -> None:
        for values, outcome in (
            ({}, ("off", "rolled back")),
            ({"phase": "draining"}, ("off", "rolled back")),
            ({"from_revision": "0000", "target_revision": "0001"}, ("off", "completed")),
            ({"kind": "manual", "phase": "draining"} | NO_MIGRATION, ("off", "aborted")),
        ):
            with self.subTest(values):
                self.orphan(**values)
                self.windows().settle_orphan()
                self.assertEqual(self.outcome(), outcome)

    def test_a_killed_one_is_at_the_revision_of_the_last_step_that_was_finished(self) -> None:
        self.sql(DONE, window=self.orphan(from_revision="0000"))
        self.windows().settle_orphan()
        self.assertEqual(self.outcome(), ("off", "partly applied"))

    def test_what_is_not_proven_keeps_it(self) -> None:
        for values, revision in (
            ({"from_revision": "0000"}, None),
            ({}, "0002"),
            ({"from_revision": "0000", "target_revision": "0001"}, "0001"),
        ):
            with self.subTest(values):
                identity = self.orphan(**values)
                if revision:
                    self.sql(HALF_DONE, window=identity, revision=revision)
                self.windows().settle_orphan()
                self.assertEqual(self.outcome(), ("failed", None))
                self.sql("UPDATE ops.window SET phase = 'off'")

    def test_one_opened_by_hand_goes_back_to_who_opened_it(self) -> None:
        self.orphan(kind="manual")
        self.windows().settle_orphan()
        self.assertEqual(self.outcome(), ("active", None))

    def test_the_window_of_a_living_owner_is_left_alone(self) -> None:
        self.orphan()
        windows = self.windows()
        with migrator(self.database_url, wait=0):
            found = windows.current()
            assert found is not None
            self.assertFalse(found.orphaned)
            windows.settle_orphan()
        self.assertEqual(self.outcome(), ("migrating", None))

    def test_the_next_upgrade_settles_it_first(self) -> None:
        self.orphan()
        self.revision(LOOK, maintenance="read-only")
        self.upgrade()
        outcomes = [row.outcome for row in self.sql("SELECT outcome FROM ops.window ORDER BY id")]
        self.assertEqual(outcomes, ["rolled back", "completed"])

    def test_between_two_revisions_the_next_upgrade_goes_on_inside(self) -> None:
        """The window never ended, so no write happened in between."""
        self.sql(DONE, window=self.orphan(from_revision="0000"))
        self.revision(LOOK, maintenance="read-only")
        self.upgrade()
        window = self.last_window()
        self.assertEqual((self.window_count(), window.outcome), (1, "completed"))
        self.assertEqual((self.current(), window.from_revision), ("0002", "0000"))
        self.assert_nothing_held()

    def test_a_mistake_of_the_caller_settles_it_too(self) -> None:
        self.sql(DONE, window=self.orphan(from_revision="0000"))
        with self.assertRaises(CommandError):
            self.upgrade("0009")
        self.assertEqual(self.outcome(), ("off", "partly applied"))

    def test_so_does_the_next_window(self) -> None:
        self.orphan()
        started = self.windows().start(MaintenanceMode.READ_ONLY, "", None, patience=NO_WAIT)
        self.assertEqual([self.window_count(), started.phase], [2, "active"])

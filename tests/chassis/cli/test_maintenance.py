import json
from datetime import datetime, timedelta, timezone
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from click.testing import Result
from dependency_injector.providers import Singleton
from sqlalchemy import make_url

from chassis.maintenance import drain
from chassis.maintenance.migrator import migrator
from chassis.maintenance.sql_maintenance_windows import SqlMaintenanceWindows
from chassis.postgres.locks import ask_write_fence, mutex, write_fence
from chassis.project import current_project
from support.command_line import CommandLineTestCase
from support.revisions import FAIL_IF_EMPTY, LOOK, RevisionsTestCase
from support.windows import WindowObserver, WindowTestCase

FAILED, WRONG_USAGE, WINDOW_STAYS, BUSY, MISCONFIGURED = 1, 2, 4, 75, 78
NOBODY_LISTENS = "postgresql://nobody@127.0.0.1:1/nothing"
READ_ONLY = ("--mode", "read-only")


class WindowCommandsTestCase(WindowObserver, CommandLineTestCase):
    def run_command(self, *arguments: str) -> str:
        result = self.manage(*arguments, DATABASE_URL=self.database_url)
        self.assertEqual(result.exit_code, 0, result.output)
        return result.stdout.strip()

    def assert_refused(self, code: int, sentence: str, *arguments: str) -> None:
        self.assert_said(self.manage(*arguments, DATABASE_URL=self.database_url), code, sentence)

    def assert_said(self, result: Result, code: int, sentence: str) -> None:
        self.assertIsInstance(result.exception, SystemExit, repr(result.exception))
        self.assert_stops(result, code, sentence)


class MaintenanceCommandsTest(WindowTestCase, WindowCommandsTestCase):
    def setUp(self) -> None:
        self.enterContext(patch.object(drain, "SEEN_BY_ALL_SECONDS", 0))
        super().setUp()

    def maintenance(self, *arguments: str) -> str:
        return self.run_command("maintenance", *arguments)

    def status(self) -> Any:
        return json.loads(self.maintenance("status", "--json"))

    def test_one_is_opened_shown_and_ended(self) -> None:
        said = self.maintenance("start", "--mode", "full", "--for", "10m", "--message", "Soon.")
        self.assertRegex(said, r"^Window \d+: full, nobody writes any more\.$")
        window = self.status()["window"]
        self.assertEqual((window["mode"], window["phase"]), ("full", "active"))
        self.assertEqual((window["message"], window["is_open"]), ("Soon.", True))
        self.assertAlmostEqual(window["seconds_left"], 600, delta=10)
        self.assertRegex(self.maintenance("status"), r"mode +full\n")
        self.assertEqual(self.maintenance("end"), f"Window {window['id']} has ended.")
        self.assertIn("No window is open", self.maintenance("status"))

    def test_one_is_extended_and_listed(self) -> None:
        self.maintenance("start", *READ_ONLY, "--for", "10m")
        self.assertRegex(self.maintenance("extend", "--for", "1h"), r"^Window \d+ ends at \d")
        self.assertAlmostEqual(self.status()["window"]["seconds_left"], 3600, delta=10)
        self.assertIn("extended", self.maintenance("log"))
        self.assertRegex(self.maintenance("list"), r"^\d+  manual  read-only  active")
        self.maintenance("end")
        [row] = [json.loads(line) for line in self.maintenance("list", "--json").splitlines()]
        self.assertEqual((row["phase"], row["outcome"]), ("off", "completed"))
        self.assert_refused(FAILED, "No window is open", "maintenance", "extend", "--for", "1h")

    def test_one_whose_time_has_passed_is_listed_as_expired(self) -> None:
        self.insert_window(phase="scheduled", begins=-20, ends=-10, expires=-10)
        self.assertRegex(self.maintenance("list"), r"^\d+  manual  read-only  off  expired")

    def test_they_use_the_windows_of_the_projects_container(self) -> None:
        class Others(SqlMaintenanceWindows):
            def latest(self, count: int) -> list[dict[str, Any]]:
                return [{"id": count, "kind": "of others"}]

        container = current_project().container_type
        windows = Singleton(
            Others, container.engines.provided.watch, container.config.provided.migration_url
        )
        with container.maintenance_windows.override(windows):
            self.assertEqual(self.maintenance("list", "--last", "7"), "7  of others")
            self.maintenance("start", *READ_ONLY, "--for", "10m")
            events = [json.loads(line) for line in self.maintenance("log", "--json").splitlines()]
        self.assertEqual({event["source"] for event in events}, {"cli"})

    def test_that_of_a_migration_is_not_extended(self) -> None:
        self.insert_window(kind="migration", phase="verifying", target_revision="0002")
        extend = ("maintenance", "extend", "--for", "1h")
        self.assert_refused(FAILED, "ends when its migration does", *extend)

    def test_it_expires_unless_that_is_refused(self) -> None:
        for arguments, expires in (((), True), (("--no-expire",), False)):
            self.maintenance("start", *READ_ONLY, "--for", "10m", *arguments)
            self.assertEqual(self.last_window().hard_end is not None, expires)
            self.sql("UPDATE ops.window SET phase = 'off'")

    def test_one_is_scheduled_and_cancelled(self) -> None:
        said = self.maintenance("schedule", *READ_ONLY, "--at", "+30m", "--for", "45m")
        window = self.last_window()
        self.assertTrue(said.startswith(f"Window {window.id}: read-only from "), said)
        self.assertEqual(window.expected_end - window.starts_at, timedelta(minutes=45))
        self.assertEqual(self.status()["window"]["phase"], "scheduled")
        self.assertIn("is cancelled", self.maintenance("cancel", str(window.id)))
        self.assertIsNone(self.status()["window"])

    def test_a_time_may_have_any_offset(self) -> None:
        moment = datetime.now(timezone(timedelta(hours=2))) + timedelta(days=1)
        self.maintenance("schedule", *READ_ONLY, "--at", moment.isoformat(), "--for", "1h")
        self.assertEqual(self.last_window().starts_at, moment)

    def test_the_status_names_who_holds_the_locks(self) -> None:
        writer = self.connect("web:1")
        ask_write_fence(writer)
        with migrator(self.database_url, wait=0):
            state = self.status()
            self.assertRegex(self.maintenance("status"), r"writers +web:1, process \d+")
        self.assertRegex(state["writers"][0], r"^web:1, process \d+, idle in transaction")
        self.assertIn("-migrator:", state["migrators"][0])
        self.assertEqual((state["write_fence"], state["mutex"]), (write_fence(), mutex()))

    def test_the_log_tells_what_happened_and_by_whom(self) -> None:
        self.maintenance("start", *READ_ONLY)
        self.maintenance("end")
        lines = self.maintenance("log", str(self.last_window().id), "--json").splitlines()
        found = [json.loads(line) for line in lines]
        self.assertEqual([line["event"] for line in found], ["draining", "active", "completed"])
        self.assertEqual({line["source"] for line in found}, {"cli"})
        self.assertIsNotNone(datetime.fromisoformat(found[0]["at"]).tzinfo)
        self.assertEqual(len(self.maintenance("log").splitlines()), 3)
        self.assertEqual(self.maintenance("log", "0"), "")

    def test_what_happened_is_not_changed(self) -> None:
        self.maintenance("schedule", *READ_ONLY, "--at", "+1h", "--for", "1h")
        for statement in ("DELETE FROM ops.event", "UPDATE ops.event SET actor = 'nobody'"):
            with self.assertRaisesRegex(Exception, "is not changed"):
                self.sql(statement)

    def test_a_bypass_token_is_printed(self) -> None:
        self.insert_window()
        token = self.maintenance("bypass-token", "--for", "1h")
        self.assertRegex(token, rf"^v1\.{self.last_window().id}\.\d+\.[0-9a-f]{{64}}$")

    def test_what_cannot_be_done_is_a_sentence(self) -> None:
        for arguments, sentence in (
            ("end", "No window is open"),
            ("cancel 0", "No window 0 is scheduled"),
            ("bypass-token", "No window is open"),
            ("schedule --mode full --at 2001-01-01T00:00Z --for 1h", "in the past"),
        ):
            with self.subTest(arguments):
                self.assert_refused(FAILED, sentence, "maintenance", *arguments.split())
        self.insert_window()
        self.insert_window(phase="scheduled", begins=3600, ends=7200, expires=7200)
        for arguments, sentence in (
            ("start --mode full", r"Window \d+ is open already"),
            ("schedule --mode full --at +90m --for 1h", "Another window is scheduled"),
            ("bypass-token --for 13h", "12 hours at most"),
        ):
            with self.subTest(arguments):
                self.assert_refused(FAILED, sentence, "maintenance", *arguments.split())

    def test_what_cannot_be_meant_is_wrong_usage(self) -> None:
        at = ("schedule", *READ_ONLY, "--for", "1h", "--at")
        for arguments, sentence in (
            ((*at, "2101-01-01T00:00"), "has no offset: write 2101-01-01T00:00Z"),
            ((*at, "soon"), "'soon' is not a time"),
            ((*at, "+soon"), "'soon' is not a duration"),
            (("start", *READ_ONLY, "--for", "10"), "'10' is not a duration such as 200ms"),
            (("start", *READ_ONLY, "--for", "-1m"), "is not a duration"),
            (("start", *READ_ONLY, "--for", "0s"), "for '--for': '0s': must be more than 0"),
            ((*at[:3], "--for", "0ms", "--at", "+1m"), "for '--for': '0ms': must be more than 0"),
            (("extend", "--for", "0m"), "for '--for': '0m': must be more than 0"),
            (("start",), "Missing option '--mode'"),
            (("start", "--mode", "none"), "'none' is not one of"),
            (("cancel", "x"), "'x' is not a valid integer"),
        ):
            with self.subTest(arguments):
                self.assert_refused(WRONG_USAGE, sentence, "maintenance", *arguments)

    def test_what_no_calendar_has_is_a_sentence_and_opens_nothing(self) -> None:
        for arguments in (
            ("start", *READ_ONLY, "--for", "99999999h"),
            ("schedule", *READ_ONLY, "--at", "9999-12-31T23:59Z", "--for", "24h"),
            ("schedule", *READ_ONLY, "--at", "+99999999h", "--for", "1h"),
        ):
            with self.subTest(arguments):
                result = self.manage("maintenance", *arguments, DATABASE_URL=self.database_url)
                self.assertIsInstance(result.exception, SystemExit, repr(result.exception))
                self.assertIn(result.exit_code, (FAILED, WRONG_USAGE))
                self.assertEqual(self.window_count(), 0)

    def test_who_stands_in_the_way_is_named(self) -> None:
        writer = self.connect("web:slow")
        ask_write_fence(writer)
        start = ("maintenance", "start", *READ_ONLY, "--drain-timeout", "50ms")
        self.assert_refused(BUSY, "Still writing after 0.05 s: web:slow.*run the same", *start)
        self.assertEqual(self.last_window().outcome, "aborted")
        with migrator(self.database_url, wait=0):
            self.assert_refused(BUSY, "Another migration is running", "maintenance", "cancel", "1")

    def test_a_role_without_the_right_is_a_wrong_setting(self) -> None:
        role = f"reader_{uuid4().hex}"
        self.sql(f"CREATE ROLE {role} LOGIN PASSWORD 'x'; GRANT pg_read_all_data TO {role}")
        self.addCleanup(self.sql, f"DROP ROLE {role}")
        url = make_url(self.database_url).set(username=role, password="x")
        theirs = url.render_as_string(hide_password=False)
        for arguments in (("start", *READ_ONLY), ("end",)):
            with self.subTest(arguments):
                result = self.manage("maintenance", *arguments, DATABASE_URL=theirs)
                self.assert_said(
                    result, MISCONFIGURED, "a role that may, in MIGRATION_DATABASE_URL"
                )

    def test_without_a_database_each_is_a_sentence(self) -> None:
        for arguments in (("status",), ("start", *READ_ONLY), ("end",), ("log",)):
            with self.subTest(arguments):
                result = self.manage("maintenance", *arguments)
                self.assert_said(result, MISCONFIGURED, "Not set: DATABASE_URL")
                result = self.manage("maintenance", *arguments, DATABASE_URL=NOBODY_LISTENS)
                self.assert_said(result, FAILED, "The database does not answer")


class UpgradeCommandTest(RevisionsTestCase, WindowCommandsTestCase):
    def test_it_says_what_it_does(self) -> None:
        self.revision(LOOK, maintenance="read-only")
        result = self.manage("db", "upgrade", DATABASE_URL=self.database_url)
        self.assertEqual((result.exit_code, result.stdout), (0, "0001 -> 0002\n"), result.output)
        for line in (
            r"plan +1 revision, 0001 -> 0002, window read-only",
            r"window +#1 read-only, draining: nobody writes",
            r"0002 +applied in \d",
            r"window +#1 completed, writes were refused for \d",
        ):
            self.assertRegex(result.stderr, line)

    def test_what_it_would_do_can_be_asked(self) -> None:
        self.revision("CREATE TABLE more ()", maintenance="read-only")
        sql = self.run_command("db", "upgrade", "--dry-run")
        self.assertIn("CREATE TABLE more", sql)
        self.assertNotIn("CREATE TABLE things", sql)
        self.assertIn("CREATE TABLE things", self.run_command("db", "upgrade", "--sql"))
        self.assertEqual((self.current(), self.window_count()), ("0001", 0))

    def test_it_stops_before_a_contract_revision_if_told_to(self) -> None:
        self.revision("SELECT 1")
        self.revision("SELECT 1", phase="contract")
        self.assertEqual(self.run_command("db", "upgrade", "--until", "expand"), "0001 -> 0002")
        self.assertEqual(self.run_command("db", "upgrade"), "0002 -> 0003")

    def test_a_weaker_window_is_refused(self) -> None:
        self.revision(LOOK, maintenance="full")
        weak = ("db", "upgrade", "--maintenance", "none")
        self.assert_refused(FAILED, "need a window of mode full; the mode none is weaker", *weak)
        self.run_command(*weak, "--force")

    def test_a_blocked_one_says_by_whom_and_that_it_may_be_run_again(self) -> None:
        self.revision(LOOK, maintenance="read-only")
        writer = self.connect("web:slow")
        ask_write_fence(writer)
        again = r"web:slow.*Nothing is half done; run the same command again\."
        self.assert_refused(BUSY, again, "db", "upgrade", "--drain-timeout", "50ms")

    def test_one_that_leaves_its_window_open_says_so(self) -> None:
        self.sql("INSERT INTO things VALUES (1), (1)")
        index = 'operations.create_index_concurrently("one", "things", ["id"], unique=True)'
        self.revision(code=index, maintenance="read-only")
        stays = r"unique index.*window #1 stays open: .*run `python manage.py db upgrade 0002` "
        self.assert_refused(WINDOW_STAYS, stays, "db", "upgrade")
        self.assert_refused(FAILED, "--accept-schema 0001", "maintenance", "end")
        self.run_command("maintenance", "end", "--accept-schema", "0001")

    def test_one_that_fails_between_two_revisions_says_where(self) -> None:
        self.revision("SELECT 1", maintenance="read-only")
        self.revision(FAIL_IF_EMPTY)
        self.assert_refused(FAILED, r"schema +is at 0002\n.*division by zero", "db", "upgrade")
        self.assert_refused(FAILED, "No window is open", "maintenance", "end")

    def test_an_error_in_python_is_a_sentence_with_the_name_of_its_revision(self) -> None:
        for maintenance in ("none", "read-only"):
            with self.subTest(maintenance):
                self.newest = 1
                self.revision(code="[][0]", maintenance=maintenance)
                sentence = (
                    r"In revision 0002: IndexError: list index .* \(0002_test\.py, line \d+\)"
                )
                self.assert_refused(FAILED, sentence, "db", "upgrade")

    def test_an_error_in_sql_names_its_revision(self) -> None:
        self.revision(FAIL_IF_EMPTY)
        said = r"In revision 0002\. division by zero\) Correct the revision or the data, and run"
        self.assert_refused(FAILED, said, "db", "upgrade")

    def test_a_unique_violation_names_its_key(self) -> None:
        self.sql("INSERT INTO things VALUES (7), (7)")
        self.revision("CREATE UNIQUE INDEX one ON things (id)")
        self.assert_refused(FAILED, r"Key \(id\)=\(7\) is duplicated", "db", "upgrade")

    def test_an_invalid_index_that_it_leaves_is_named(self) -> None:
        self.sql("INSERT INTO things VALUES (7), (7)")
        code = 'operations.create_index_concurrently("one", "things", ["id"], unique=True)'
        self.revision(code=code)
        self.assert_refused(FAILED, "invalid indexes: one", "db", "upgrade")

from unittest.mock import patch

from sqlalchemy import make_url

from chassis.development.testing.database_cases import DatabaseTestCase
from chassis.migrations.check import FindingsError
from chassis.migrations.commands import Migrations, migration_scripts
from chassis.project import current_project
from support.command_line import CommandLineTestCase
from support.revisions import RevisionsTestCase

NOBODY_LISTENS = "postgresql://nobody@127.0.0.1:1/nothing"


class DatabaseCommandsTest(DatabaseTestCase, CommandLineTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.head = migration_scripts().get_current_head()

    def db(self, *arguments: str) -> str:
        result = self.manage("db", *arguments, DATABASE_URL=self.database_url)
        self.assertEqual(result.exit_code, 0, result.output)
        return result.stdout.strip()

    def test_a_migrated_database_is_at_the_newest_revision(self) -> None:
        self.assertEqual(self.db("current"), self.head or "none")
        self.assertEqual(self.db("heads"), self.head or "")
        self.assertIn("has what the models have", self.db("check"))

    def test_nothing_is_written_without_a_difference(self) -> None:
        self.assertIn("No revision was written", self.db("migrate", "-m", "Nothing"))

    def test_what_it_wrote_and_what_fails_is_said_with_3(self) -> None:
        failure = FindingsError("Wrote 0002_test.py, but it fails.")
        with patch.object(Migrations, "create", side_effect=failure) as create:
            arguments = (
                "db",
                "migrate",
                "-m",
                "Test",
                "--accept-drop",
                "a",
                "--accept-drop",
                "b.c",
            )
            result = self.manage(*arguments, DATABASE_URL=self.database_url)
        self.assert_stops(result, 3, "Wrote 0002_test.py, but it fails")
        create.assert_called_once_with("Test", empty=False, plain=False, accept_drop=("a", "b.c"))

    def test_a_stamp_changes_the_revision_only(self) -> None:
        self.db("stamp", "base")
        self.assertEqual(self.db("current"), "none")
        self.db("stamp", "head")
        self.db("check")

    def test_the_history_needs_no_database(self) -> None:
        result = self.manage("db", "history", DATABASE_URL=NOBODY_LISTENS)
        self.assertEqual(result.exit_code, 0)
        self.assertEqual(len(result.stdout.splitlines()), len(self.db("history").splitlines()))

    def test_a_mistake_is_a_sentence_with_what_to_do(self) -> None:
        for arguments, sentence in (
            (("upgrade", "nope"), "Can't locate revision identified by 'nope'. This code has no"),
            (("stamp", ""), "Name a revision"),
            (("migrate", "-m", " "), "A revision needs a message"),
            (("downgrade", "-999"), "There are not that many revisions"),
        ):
            with self.subTest(arguments):
                result = self.manage("db", *arguments, DATABASE_URL=self.database_url)
                self.assert_stops(result, 1, sentence)

    def test_a_missing_message_is_a_sentence(self) -> None:
        self.assert_stops(self.manage("db", "migrate"), 2, "Missing option '-m'")

    def test_an_unreachable_database_is_a_sentence(self) -> None:
        result = self.manage("db", "upgrade", DATABASE_URL=NOBODY_LISTENS)
        self.assert_stops(result, 1, "The database does not answer. Check DATABASE_URL")

    def test_the_url_of_migrations_is_named_where_it_is_the_wrong_one(self) -> None:
        wrong = {"DATABASE_URL": self.database_url, "MIGRATION_DATABASE_URL": NOBODY_LISTENS}
        for command in ("upgrade", "current", "check"):
            with self.subTest(command):
                result = self.manage("db", command, **wrong)
                self.assert_stops(result, 1, "does not answer. Check MIGRATION_DATABASE_URL")
        weak = make_url(self.database_url).update_query_dict({"options": "-crole=pg_monitor"})
        wrong["MIGRATION_DATABASE_URL"] = weak.render_as_string(hide_password=False)
        said = "The role in MIGRATION_DATABASE_URL may not do this. .permission denied"
        self.assert_stops(self.manage("db", "current", **wrong), 78, said)


HOOK = """
[[tool.alembic.post_write_hooks]]
name = "format"
type = "module"
module = "ruff"
options = "format --quiet REVISION_SCRIPT_FILENAME"
"""


class OwnRevisionsTest(RevisionsTestCase, CommandLineTestCase):
    """A database at the first of two revisions of the tests; a project's may be irreversible."""

    def setUp(self) -> None:
        super().setUp()
        self.head = self.revision("CREATE TABLE more (id integer)", down="DROP TABLE more")

    def db(self, *arguments: str) -> str:
        result = self.manage("db", *arguments, DATABASE_URL=self.database_url)
        self.assertEqual(result.exit_code, 0, result.output)
        return result.stdout.strip()

    def test_up_and_down_by_one_by_default(self) -> None:
        self.db("upgrade")
        self.assertEqual(self.db("current"), self.head)
        self.db("downgrade")
        self.assertEqual(self.db("current"), "0001")

    def test_down_to_nothing(self) -> None:
        self.db("downgrade", "base")
        self.assertEqual(self.db("current"), "none")

    def test_a_database_that_is_behind_fails_the_check(self) -> None:
        result = self.manage("db", "check", DATABASE_URL=self.database_url)
        self.assert_stops(result, 3, "not up to date. Run `python manage.py db upgrade` first")

    def test_what_was_written_is_all_that_it_prints(self) -> None:
        with current_project().alembic_file.open("a", encoding="utf-8") as file:
            file.write(HOOK)
        result = self.manage("db", "migrate", "-m", "x", "--empty", DATABASE_URL=self.database_url)
        self.assertRegex(result.stdout, r"\AWrote .*_x\.py\. Read it before you apply it\.\n\Z")

    def test_a_revision_that_python_cannot_load_is_a_sentence_with_file_and_line(self) -> None:
        file = self.versions / "0002_test.py"
        right = file.read_text("utf-8")
        for wrong, sentence in (
            (
                "import nosuch",
                r"ModuleNotFoundError: No module named .nosuch. \(0002_test\.py, line 2\)",
            ),
            ("def upgrade(:", r"SyntaxError: invalid syntax \(0002_test\.py, line 2\)"),
            ("import json\njson.loads('')", r"JSONDecodeError: .* \(0002_test\.py, line 3\)"),
        ):
            file.write_text(f'"""Wrong."""\n{wrong}\n{right}', "utf-8")
            for command in (["upgrade"], ["status"], ["check"], ["history"], ["upgrade", "--sql"]):
                with self.subTest(wrong, command=command):
                    result = self.manage("db", *command, DATABASE_URL=self.database_url)
                    said = f"^Error: A revision does not load: {sentence}\\.$"
                    self.assert_stops(result, 1, said)

    def test_a_schema_that_is_there_already_is_a_sentence(self) -> None:
        self.db("stamp", "base")
        result = self.manage("db", "upgrade", DATABASE_URL=self.database_url)
        self.assert_stops(result, 1, "run `python manage.py db stamp REVISION`")

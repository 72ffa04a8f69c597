from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from unittest import TestCase
from unittest.mock import patch

from alembic.util import CommandError
from sqlalchemy import Column, Integer, Table, Text

from chassis.development.testing.database_cases import migrated_database
from chassis.migrations.commands import Migrations, migration_scripts
from chassis.project import Project, current_project
from src.infrastructure.databases.metadata import metadata


class CreateTest(TestCase):
    """Writes revisions for a table of the tests into a copy of the project's folder."""

    def setUp(self) -> None:
        copy = Path(self.enterContext(TemporaryDirectory()))
        copytree(current_project().root / "migrations", copy / "migrations")
        pyproject = copy / "pyproject.toml"
        pyproject.write_text("[tool.alembic]\nscript_location = '%(here)s/migrations'\n")
        self.enterContext(patch.object(Project, "alembic_file", pyproject))
        self.migrations = Migrations(self.enterContext(migrated_database()))

    def model(self, *columns: Column[object]) -> None:
        metadata.remove(Table("extra", metadata, extend_existing=True))
        table = Table("extra", metadata, Column("id", Integer, primary_key=True), *columns)
        self.addCleanup(metadata.remove, table)

    def revisions(self) -> int:
        return sum(1 for _ in migration_scripts().walk_revisions())

    def test_without_a_difference_nothing_is_written(self) -> None:
        before = self.revisions()
        self.assertEqual(self.migrations.create("Nothing"), [])
        self.assertEqual(self.revisions(), before)

    def test_an_empty_revision_has_to_be_asked_for(self) -> None:
        [path] = self.migrations.create("Fill in", empty=True)
        self.assertRegex(path, r"\d{4}_fill_in\.py$")

    def test_any_message_makes_a_file_that_can_be_read(self) -> None:
        message = 'It\'s """quoted" / and\nlong \\'
        self.migrations.create(message, empty=True)
        [newest, *_] = migration_scripts().walk_revisions()
        self.assertEqual(newest.doc, " ".join(message.split()))

    def test_a_new_table_is_written_applied_and_taken_back(self) -> None:
        self.model(Column("text", Text, nullable=False))
        before = self.migrations.current()
        [path] = self.migrations.create("Add extra")
        self.assertRegex(path, r"\d{4}_add_extra\.py$")
        self.migrations.upgrade()
        self.assertEqual(self.migrations.check(), [])
        self.migrations.downgrade()
        self.assertEqual(self.migrations.current(), before)

    def test_what_looks_like_a_rename_is_not_written_unless_told(self) -> None:
        self.model(Column("before", Text))
        self.migrations.create("Add extra")
        self.migrations.upgrade()
        self.model(Column("after", Text))
        written = self.revisions()
        with self.assertRaisesRegex(CommandError, "drops extra.before and adds extra.after"):
            self.migrations.create("Rename")
        self.assertEqual(self.revisions(), written)
        with self.assertRaisesRegex(CommandError, "--accept-drop extra.before"):
            self.migrations.create("Replace", accept_drop=["extra"])
        added, dropped = self.migrations.create("Replace", accept_drop=["extra.before"])
        self.assertIn('phase = "expand"', Path(added).read_text())
        self.assertIn('phase = "contract"', Path(dropped).read_text())

    def test_two_revisions_with_one_number_are_refused(self) -> None:
        path = Path(self.migrations.create("Mine", empty=True)[0])
        path.with_name(path.name.replace("mine", "yours")).write_text(path.read_text())
        with self.assertRaisesRegex(
            CommandError, "present more than once.* give the later one the next number"
        ):
            self.migrations.upgrade()

    def test_two_newest_revisions_are_refused(self) -> None:
        path = Path(self.migrations.create("Mine", empty=True)[0])
        number = path.name.partition("_")[0]
        other = path.read_text().replace(f"revision = '{number}'", "revision = '9999'", 1)
        path.with_name("9999_yours.py").write_text(other)
        with self.assertRaisesRegex(CommandError, "are both the newest revision"):
            self.migrations.upgrade()

    def test_what_a_server_could_not_read_is_refused(self) -> None:
        path = Path(self.migrations.create("Mine", empty=True)[0])
        path.write_text(path.read_text() + '\nphase = "con" + "tract"\n')
        with self.assertRaisesRegex(CommandError, f"phase in {path.name} has to be a text"):
            self.migrations.upgrade()

    def test_what_a_server_would_read_otherwise_is_refused(self) -> None:
        path = Path(self.migrations.create("Mine", empty=True)[0])
        path.write_text(path.read_text() + "\nglobals()['phase'] = 'contract'\n")
        with self.assertRaisesRegex(CommandError, f"different values from {path.name}"):
            self.migrations.upgrade()

    def test_a_revision_whose_parent_is_gone_is_refused(self) -> None:
        first = Path(self.migrations.create("First", empty=True)[0])
        self.migrations.upgrade()
        self.migrations.create("Second", empty=True)
        first.unlink()
        with self.assertRaisesRegex(CommandError, "is not present"):
            self.migrations.upgrade()

    def test_a_database_that_is_behind_is_refused(self) -> None:
        self.migrations.create("Fill in", empty=True)
        with self.assertRaisesRegex(CommandError, "not up to date"):
            self.migrations.create("Too early")

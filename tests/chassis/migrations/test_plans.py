"""Operators see the plan of revisions before they are applied."""

from pathlib import Path
from unittest.mock import patch

from sqlalchemy import Column, Index, Integer, MetaData, Table, Text

from chassis.migrations import commands
from chassis.project import Project
from support.command_line import CommandLineTestCase
from support.revisions import RevisionsTestCase

READ = "UPDATE things SET id = 1"
FULL_OF_ROWS = "INSERT INTO things SELECT generate_series(1, 30000)"


class PlansTest(RevisionsTestCase, CommandLineTestCase):
    def db(self, *arguments: str, code: int = 0) -> str:
        """Run a `db` command, whose role cannot create databases; return its output."""
        with patch.object(commands, "scratch_database", side_effect=AssertionError):
            result = self.manage("db", *arguments, DATABASE_URL=self.database_url)
        self.assertEqual(result.exit_code, code, result.output)
        return result.output

    def measure(self) -> str:
        result = self.manage("db", "check", DATABASE_URL=self.database_url)
        return result.output

    def test_a_plan_has_what_was_measured_and_how_large_it_is_here(self) -> None:
        head = self.revision(READ, down="ALTER TABLE things ALTER id TYPE bigint", phase="contract")
        self.revision("CREATE TABLE more ()", down="DROP TABLE more")
        self.measure()
        self.sql(FULL_OF_ROWS)
        self.sql("ANALYZE things")
        weight = r"30000 rows, \d MB, about 0 s"
        for output in (self.db("upgrade", "--dry-run"), self.db("status")):
            self.assertRegex(output, rf"{head} Of a test\.: window none, contract\n")
            self.assertRegex(output, rf"things: RowExclusiveLock, scan; {weight}")
        self.upgrade(head)
        back = self.db("downgrade", "--dry-run")
        self.assertRegex(back, rf"{head} Of a test\.: window full, contract\n")
        self.assertRegex(back, rf"things: AccessExclusiveLock, scan, rewrite; {weight}")
        self.assertIn("ALTER TABLE things ALTER id TYPE bigint", back)

    def test_what_no_check_has_read_is_named(self) -> None:
        head = self.revision("SELECT 1", down="SELECT 1", measured=None)
        self.upgrade("0001")
        self.assertIn("not measured since its last edit", self.db("status"))
        self.measure()
        self.assertNotIn("not measured", self.db("status"))
        path = Path(self.versions) / f"{head}_test.py"
        path.write_text(path.read_text() + "# Edited.\n")
        self.assertIn("not measured since its last edit", self.db("status"))
        self.upgrade()
        self.assertIn(f"warning: {head}: not checked by `db check`, or edited since", self.said)

    def test_to_note_what_was_measured_is_no_edit(self) -> None:
        self.revision("SELECT 1", down="SELECT 1")
        self.upgrade()
        self.assertIn("records the measurements", self.measure())
        self.assertNotIn("records the measurements", self.measure())
        self.assertRegex(self.db("status"), r"edited after they were applied +none\n")

    def test_tables_are_noted_by_name_and_another_order_is_no_change(self) -> None:
        self.revision("CREATE TABLE boxes ()", down="DROP TABLE boxes")
        both = "ALTER TABLE things {0} COLUMN more{1}; ALTER TABLE boxes {0} COLUMN more{1}"
        head = self.revision(both.format("ADD", " int"), down=both.format("DROP", ""))
        self.measure()
        path = Path(self.versions) / f"{head}_test.py"
        noted = path.read_text()
        lines = (
            '        "boxes": "AccessExclusiveLock",\n',
            '        "things": "AccessExclusiveLock",\n',
        )
        self.assertEqual(noted.count("".join(lines)), 2)
        earlier = noted.replace("".join(lines), "".join(reversed(lines)), 1)
        path.write_text(earlier)
        self.assertNotIn("records the measurements", self.measure())
        self.assertEqual(path.read_text(), earlier)

    def test_what_cannot_be_noted_is_said(self) -> None:
        self.revision("SELECT 1", down="SELECT 1")
        with patch.object(Path, "write_text", side_effect=OSError("Read-only file system")):
            self.assertIn("not recorded: Read-only file system", self.measure())

    def test_what_migrate_writes_is_measured(self) -> None:
        models = MetaData()
        Table("things", models, Column("id", Integer), Index("things_id", "id"))
        text = Column("mode", Text), Column("phase", Text)
        Table("seen", models, *text)
        self.enterContext(patch.object(Project, "metadata", models))
        paths = self.migrations().create("Test", accept_drop=["seen.fenced", "seen.alone"])
        self.assertIn('"things": "ShareUpdateExclusiveLock, scan"', Path(paths[0]).read_text())
        self.assertNotIn("not measured", "".join(self.db("status").split("pending")[1:]))

    def test_models_without_a_revision_are_named_with_the_command_that_writes_one(self) -> None:
        models = MetaData()
        Table("more", models, Column("id", Integer))
        self.enterContext(patch.object(Project, "metadata", models))
        self.assertRegex(
            self.measure(), r"table more.*\. `python manage.py db migrate` writes a revision"
        )

    def test_sql_has_a_range_and_says_what_is_not_in_it(self) -> None:
        for number in (2, 3, 4):
            self.revision(f"SELECT 'up {number}'", down=f"SELECT 'down {number}'")
        up, down = (
            self.db("upgrade", "0002:0003", "--sql"),
            self.db("downgrade", "0004:0002", "--sql"),
        )
        self.assertIn("this SQL has no windows, no journal", up)
        self.assertEqual([f"up {number}" in up for number in (2, 3, 4)], [False, True, False])
        self.assertEqual([f"down {number}" in down for number in (2, 3, 4)], [False, True, True])
        self.assertIn("up 4", self.db("upgrade", "--sql"))
        self.assertIn("name both", self.db("downgrade", "0002", "--sql", code=1))
        self.assertIn("no such revision", self.db("upgrade", "0002:0009", "--sql", code=1))

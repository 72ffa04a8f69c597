"""Reading revisions without Alembic gives the same result as with Alembic."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import TestCase

from chassis.maintenance.declarations import is_contract
from chassis.maintenance.revisions import RevisionsError, read_revisions
from chassis.migrations.commands import migration_scripts

PLAIN = 'revision = "{}"\ndown_revision = {!r}\n'


class RevisionsTest(TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(TemporaryDirectory()))

    def write(self, name: str, text: str) -> None:
        (self.folder / f"{name}.py").write_text(text, "utf-8")

    def line(self) -> list[tuple[str, bool]]:
        return [(one.revision, one.is_contract) for one in read_revisions(self.folder)]

    def assert_refused(self, sentence: str) -> None:
        with self.assertRaisesRegex(RevisionsError, sentence):
            self.line()

    def test_those_of_this_project_are_read_as_alembic_reads_them(self) -> None:
        expected = [
            (script.revision, script.down_revision, is_contract(script))
            for script in reversed(list(migration_scripts().walk_revisions()))
        ]
        found = [(one.revision, one.down_revision, one.is_contract) for one in read_revisions()]
        self.assertEqual(found, expected)

    def test_alembic_leaves_the_import_path_alone(self) -> None:
        """coverage.py drops modules that one thread imports while another sees a new path."""
        before = list(sys.path)
        migration_scripts()
        self.assertEqual(sys.path, before)

    def test_they_are_in_the_order_in_which_they_follow_each_other(self) -> None:
        self.write("a", PLAIN.format("0003", "0002"))
        self.write("b", PLAIN.format("0001", None))
        self.write("c", 'revision: str = "0002"\ndown_revision: str | None = "0001"\n')
        self.write("helper", "ROWS = 1000\n")
        self.assertEqual([revision for revision, _ in self.line()], ["0001", "0002", "0003"])

    def test_a_contract_revision_is_one_that_says_so(self) -> None:
        for phase, told in (('"contract"', True), ('"expand"', False), ('"nothing"', False)):
            self.write("a", f"{PLAIN.format('0001', None)}phase = {phase}\n")
            self.assertEqual(self.line(), [("0001", told)])

    def test_other_files_and_folders_are_none(self) -> None:
        self.write("__init__", "revision = '0001'\n")
        self.folder.joinpath(".#0001_edited.py").symlink_to("nowhere")
        self.folder.joinpath("folder.py").mkdir()
        self.write("0001_first", f"{PLAIN.format('0001', None)}def upgrade():\n    phase = 1\n")
        self.assertEqual(self.line(), [("0001", False)])

    def test_a_folder_that_is_not_there_is_said(self) -> None:
        self.folder /= "migrations/versions"
        self.assert_refused("There is no folder .*migrations for")

    def test_none_are_none(self) -> None:
        self.assertEqual(self.line(), [])

    def test_two_that_follow_the_same_are_refused(self) -> None:
        self.write("0001_first", PLAIN.format("0001", None))
        self.write("0002_mine", PLAIN.format("0002", "0001"))
        self.write("0003_yours", PLAIN.format("0003", "0001"))
        self.assert_refused(
            "0002 and 0003 both follow 0001. Revisions form one history without branches: give"
        )

    def test_one_whose_parent_is_gone_is_refused(self) -> None:
        self.write("0001_first", PLAIN.format("0001", None))
        self.write("0003_third", PLAIN.format("0003", "0002"))
        self.assert_refused("No revision leads to 0003")

    def test_what_would_have_to_be_run_to_be_known_is_refused(self) -> None:
        for statement in (
            "phase = CONTRACT",
            'revision = "00" + "02"',
            'revision, down_revision = "0002", "0001"',
            'revision = rev = "0002"',
            'revision += "x"',
            'if True:\n    revision = "0002"',
            "del revision",
            'down_revision = ("a", "b")',
            "revision = 2",
        ):
            self.write("0002_second", f"{PLAIN.format('0002', None)}{statement}\n")
            self.assert_refused("The .* in 0002_second.py has to be a text")

    def test_what_is_not_python_is_refused(self) -> None:
        self.write("0002_second", "<<<<<<< mine\n")
        self.assert_refused("0002_second.py is not Python")

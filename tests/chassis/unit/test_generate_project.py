"""`generate` and `destroy` report files of a project that changed since they were written."""

import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import TestCase

from chassis.development.generate import places
from chassis.development.generate.draft import Draft
from chassis.development.generate.generated_revisions import manage
from chassis.development.generate.grammar import read_resource
from chassis.development.generate.later import read_addition
from chassis.development.generate.model_file import read_model
from chassis.development.generate.refusal import Refusal
from chassis.development.generate.resources import add_resources, ordered, tables_of
from chassis.development.generate.undo import take_back
from chassis.project import current_project

RECEIPTS: tuple[str, ...] = (
    "",
    "{}",
    "[]",
    "null",
    "{",
    '{"insertions": [{"x": 1}]}',
    '{"insertions": []}',
)
RECEIPTS += (
    '{"kind": "resource", "name": "Note", "command": "", "description": {}, "insertions": []}',
)
NAMED = """
class CarRepository(persistence.Repository[Car]):
    pass


class UnitOfWork(persistence.Transaction):
    cars: CarRepository
    notes: persistence.Repository[Note]
"""


class ProjectTest(TestCase):
    def setUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        shutil.copytree(current_project().root / "src", self.root / "src")
        shutil.copy(current_project().root / "pyproject.toml", self.root)

    def generate(self) -> None:
        draft = Draft(self.root)
        add_resources(draft, [read_resource("Note", ["title:str:9"])], "a command")
        with draft.written():
            pass

    def test_one_value_for_all_rows_is_no_unique_one(self) -> None:
        self.generate()
        for source, rows in (
            ("code:str:3:unique", "EUR"),
            ("code:str:3:unique", None),
            ("code:str:3:unique=EUR", None),
        ):
            with self.subTest(source), self.assertRaisesRegex(Refusal, "the same value"):
                read_addition(Draft(self.root), "Note", source, rows)

    def test_what_existing_rows_get_is_refused_with_what_works(self) -> None:
        self.generate()
        for source, rows, expected in (
            ("other:ref:Note", None, "Make it optional"),
            ("other:ref:Note", "x", "Make it optional"),
            ("code:str:3", None, "or say what those rows get"),
            ("code:str:3", "", "code: .* 1 to 3 printable characters"),
            ("code:str:3=a", "b", "neither optional nor has a default"),
            ("code:str:3:optional", "b", "neither optional nor has a default"),
        ):
            with self.subTest(source, rows=rows), self.assertRaisesRegex(Refusal, expected):
                read_addition(Draft(self.root), "Note", source, rows)

    def test_a_command_that_failed_can_be_pasted(self) -> None:
        (self.root / "manage.py").write_text("raise SystemExit('Error: No.')")
        run = lambda: manage(self.root, "db", "migrate", "-m", "Add notes")  # noqa: E731
        self.assert_refused("`manage.py db migrate -m 'Add notes'` failed; .* No\\.$", run)

    def test_names_that_differ_in_capitals_only(self) -> None:
        self.generate()
        take = lambda: take_back(Draft(self.root), "note", force=True)  # noqa: E731
        self.assert_refused("There is no note. Did you mean Note", take)
        both = [read_resource(name, ["title:str:9"]) for name in ("Abc", "ABC")]
        add = lambda: add_resources(Draft(self.root), both, "a command")  # noqa: E731
        self.assert_refused("Two of these resources would have src/domain/models/abc.py", add)

    def test_a_field_of_its_resource_is_not_taken_back_alone(self) -> None:
        self.generate()
        self.assert_refused(
            "No command added title to Note",
            lambda: take_back(Draft(self.root), "Note.title", force=False),
        )

    def files(self) -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in self.root.rglob("*") if path.is_file()}

    def assert_refused(self, expected: str, action: Callable[[], object]) -> None:
        """Assert that the command is rejected and writes nothing."""
        before = self.files()
        with self.assertRaisesRegex(Refusal, expected):
            action()
        self.assertEqual(self.files(), before)

    def test_a_file_that_is_no_python_is_named(self) -> None:
        ports = self.root / places.PORTS
        good = ports.read_bytes()
        for content, expected in (
            (b"class UnitOfWork(:\n", "ports.py is no Python: .*line 1"),
            (good + b"\0", "ports.py is no Python"),
            (b"# \xff\n" + good, "ports.py is not UTF-8"),
        ):
            ports.write_bytes(content)
            with self.subTest(content[:9]):
                self.assert_refused(expected, self.generate)
        ports.unlink()
        self.assert_refused("There is no src/services/ports.py", self.generate)

    def test_what_cannot_be_written_leaves_nothing(self) -> None:
        for path in ("src/seeds", places.RECEIPTS):
            shutil.rmtree(self.root / path, ignore_errors=True)
            (self.root / path).write_text("A file, where a folder is needed.")
            with self.subTest(path):
                self.assert_refused("File exists|Not a directory", self.generate)
            (self.root / path).unlink()

    def test_a_receipt_that_is_none_is_said(self) -> None:
        receipt = self.root / places.RECEIPTS / "note.json"
        receipt.parent.mkdir()
        for text in RECEIPTS:
            receipt.write_text(text)
            with self.subTest(text):
                self.assert_refused("is no receipt", self.generate)
                take = lambda: take_back(Draft(self.root), "Note", force=True)  # noqa: E731
                self.assert_refused("is no receipt", take)

    def test_repositories_of_their_own_kind_are_referred_to(self) -> None:
        ports = self.root / places.PORTS
        ports.write_text(ports.read_text().partition("class ")[0] + NAMED)
        self.assertEqual(tables_of(Draft(self.root)), {"Car": "cars", "Note": "notes"})
        resource = read_resource("Trip", ["car:ref:Car"])
        add = lambda: add_resources(Draft(self.root), [resource], "a command")  # noqa: E731
        self.assert_refused("src/seeds/cars.py, which is not there", add)

    def test_a_name_with_another_meaning_is_refused(self) -> None:
        resource = read_resource("Connection", ["host:str"])
        add = lambda: add_resources(Draft(self.root), [resource], "a command")  # noqa: E731
        self.assert_refused("another Connection", add)

    def test_a_thousand_resources_are_read_and_ordered(self) -> None:
        tables = [f'[Part{n}]\nbefore = "ref:Part{n - 1}"' for n in range(999, 0, -1)]
        model = self.root / "model.toml"
        model.write_text("\ufeff" + "\n".join([*tables, '[Part0]\nname = "str"']), "utf-8")
        found = [one.name for one in ordered(read_model(model))]
        self.assertEqual(found, [f"Part{n}" for n in range(1000)])

from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import TestCase
from unittest.mock import patch

from chassis.development.testing.security_table import document, main, mistakes, shows, tags

REQUIREMENTS = {
    "section": [
        {"name": "A", "requirements": {"A1": "Text.", "A2": {"level": 2, "text": "More."}}}
    ],
    "not_shown": {"A3": "Yours."},
}
CHASSIS = {"A1": ["one"], "A2": ["one", "two"]}
PROJECT = {"A2": ["mine"]}
SUITE = """
from unittest import TestCase
from chassis.development.testing.security_table import shows

class Suite:
    @shows("A1")
    @shows("A2")
    def test_it(self): ...

    def test_nothing(self): ...

class InheritingTest(Suite, TestCase):
    pass
"""


class SecurityTableTest(TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(TemporaryDirectory()))
        self.enterContext(chdir(self.folder))

    def test_a_document_that_was_changed_is_noticed(self) -> None:
        path = self.folder / "docs/security.md"
        path.parent.mkdir()
        path.write_text(document(REQUIREMENTS, CHASSIS, PROJECT) + "And more.\n", "utf-8")
        found = (REQUIREMENTS, CHASSIS, PROJECT)
        with patch("chassis.development.testing.security_table.load", return_value=found):
            self.assertIn("make security", main("check"))
            self.assertEqual(main("write"), "")
            self.assertEqual(main("check"), "")

    def test_a_test_says_what_it_shows_and_so_does_one_that_inherits_it(self) -> None:
        (self.folder / "test_security_tags.py").write_text(SUITE)
        name = "test_security_tags.InheritingTest.test_it"
        self.assertEqual(tags(self.folder, self.folder), {"A1": [name], "A2": [name]})

    def test_what_does_not_load_shows_nothing(self) -> None:
        (self.folder / "test_security_broken.py").write_text("import no_such_module")
        with self.assertRaisesRegex(RuntimeError, "no_such_module"):
            tags(self.folder, self.folder)

    def test_what_the_tests_of_the_chassis_show_is_written_down(self) -> None:
        (self.folder / "test_security_written.py").write_text(SUITE)
        written = self.folder / "shown.json"
        with patch("chassis.development.testing.security_table.SHOWN_BY_THE_CHASSIS", written):
            self.assertEqual(main("chassis", str(self.folder)), "")
        self.assertIn("test_security_written.InheritingTest.test_it", written.read_text())

    def test_what_no_test_shows_is_a_mistake(self) -> None:
        self.assertEqual(list(mistakes(REQUIREMENTS, {"A1": ["one"]}, {})), ["No test shows A2."])
        self.assertEqual(list(mistakes(REQUIREMENTS, {"A1": ["one"]}, PROJECT)), [])

    def test_what_nothing_lists_is_a_mistake(self) -> None:
        [wrong] = mistakes(REQUIREMENTS, CHASSIS | {"A9": ["three"]}, PROJECT)
        self.assertIn("three", wrong)
        self.assertIn("does not list A9", wrong)

    def test_each_requirement_has_a_row_with_its_tests(self) -> None:
        text = document(REQUIREMENTS, CHASSIS, PROJECT)
        self.assertIn("| A2 | 2 | More. | `one`<br>`two` | `mine` |\n", text)
        self.assertIn("| A3 | Yours. |\n", text)

    def test_a_mark_changes_nothing_of_the_test(self) -> None:
        @shows("A1")
        def test() -> None: ...

        self.assertEqual((test.__name__, vars(test)), ("test", {"shows": ("A1",)}))

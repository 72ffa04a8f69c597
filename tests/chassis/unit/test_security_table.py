from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import TestCase
from unittest.mock import patch

from chassis.development.testing.security_table import document, main, mistakes, tags

REQUIREMENTS = {
    "section": [
        {"name": "A", "requirements": {"A1": "Text.", "A2": {"level": 2, "text": "More."}}}
    ],
    "not_shown": {"A3": "Yours."},
}
TESTS = {"A1": ["one"], "A2": ["one", "two"]}
SOURCE = """
class ATest(TestCase):
    @shows("A1", "A2")
    @patch("x")
    def test_it(self): ...

    def test_nothing(self): ...
"""


class SecurityTableTest(TestCase):
    def test_the_committed_document_is_what_the_tests_say(self) -> None:
        self.assertEqual(main("check"), "")

    def test_one_that_was_changed_is_noticed(self) -> None:
        changed = Path(self.enterContext(TemporaryDirectory())) / "security.md"
        changed.write_text(document(REQUIREMENTS, TESTS) + "And more.\n", "utf-8")
        found = patch(
            "chassis.development.testing.security_table.load", return_value=(REQUIREMENTS, TESTS)
        )
        with found, patch("chassis.development.testing.security_table.DOCUMENT", changed):
            self.assertIn("make security", main("check"))
            self.assertEqual(main("write"), "")
            self.assertEqual(main("check"), "")

    def test_a_test_says_what_it_shows(self) -> None:
        folder = Path(self.enterContext(TemporaryDirectory()))
        (folder / "test_a.py").write_text(SOURCE)
        name = "tests.test_a.ATest.test_it"
        self.assertEqual(list(tags(folder)), [("A1", name), ("A2", name)])

    def test_each_that_is_named_is_run(self) -> None:
        for name in sorted({name for _, name in tags()}):
            with self.subTest(name):
                self.assertRegex(name, r"\.\w+Test\.test_\w+$")  # Others are bases of cases.

    def test_what_no_test_shows_is_a_mistake(self) -> None:
        self.assertEqual(list(mistakes(REQUIREMENTS, {"A1": ["one"]})), ["No test shows A2."])

    def test_what_nothing_lists_is_a_mistake(self) -> None:
        [wrong] = mistakes(REQUIREMENTS, TESTS | {"A9": ["three"]})
        self.assertIn("three", wrong)
        self.assertIn("does not list A9", wrong)

    def test_each_requirement_has_a_row_with_its_tests(self) -> None:
        self.assertEqual(list(mistakes(REQUIREMENTS, TESTS)), [])
        text = document(REQUIREMENTS, TESTS)
        self.assertIn("| A2 | 2 | More. | `one`<br>`two` |\n", text)
        self.assertIn("| A3 | Yours. |\n", text)

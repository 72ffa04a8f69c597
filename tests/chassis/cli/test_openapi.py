import json
import tempfile
from pathlib import Path
from typing import Any
from unittest.mock import patch

from click.testing import Result

from chassis.development.testing.security_table import shows
from chassis.project import Project, current_project
from support.command_line import CommandLineTestCase

DOCUMENT = current_project().document


class OpenApiCommandsTest(CommandLineTestCase):
    def setUp(self) -> None:
        super().setUp()
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.file = Path(folder) / "openapi.json"
        self.document: Any = json.loads(DOCUMENT.read_text("utf-8"))

    def put(self) -> None:
        self.file.write_text(json.dumps(self.document), "utf-8")

    def manage_file(self, command: str) -> Result:
        with patch.object(Project, "document", self.file):
            return self.manage("openapi", command)

    @shows("API9:2023")
    def test_the_committed_document_is_what_the_code_says(self) -> None:
        self.assertEqual(self.manage("openapi", "check").exit_code, 0)

    def test_what_has_drifted_is_shown(self) -> None:
        self.document["paths"]["/health/live"]["get"]["operationId"] = "drifted"
        self.put()
        result = self.manage_file("check")
        self.assert_stops(result, 1, "Run `python manage.py openapi write`")
        self.assertRegex(result.stdout, '-.*"drifted",?\n[+].*"read_liveness"')

    def test_what_is_missing_is_written_as_it_is_committed(self) -> None:
        self.assert_stops(self.manage_file("check"), 1, "There is no openapi.json.")
        self.assertEqual(self.manage_file("write").exit_code, 0)
        self.assertEqual(self.file.read_bytes(), DOCUMENT.read_bytes())

    def test_what_breaks_a_client_of_an_earlier_document_is_named(self) -> None:
        self.document["paths"]["/gone"] = {"get": {"responses": {}}}
        self.put()
        result = self.manage("openapi", "breaking", "--against", str(self.file))
        self.assert_stops(result, 1, "belongs in a new version")
        self.assertEqual(result.stdout, "GET /gone: it is gone\n")

    def test_nothing_breaks_a_client_of_the_same_document(self) -> None:
        result = self.manage("openapi", "breaking", "--base", str(DOCUMENT))
        self.assertEqual(result.exit_code, 0, result.output)

    def test_an_earlier_document_that_is_not_there_is_a_mistake_if_it_was_named(self) -> None:
        result = self.manage("openapi", "breaking", "--against", "no-such-revision")
        self.assert_stops(result, 1, "There is no openapi.json at no-such-revision.")

    def breaking_by(self, says: str, code: int) -> Result:
        """Compare by a git that prints a sentence and ends with this code."""
        git = self.file.with_name("git")
        git.write_text(f"#!/bin/sh\necho '{says}' >&2\nexit {code}\n")
        git.chmod(0o755)
        with patch("shutil.which", return_value=str(git)):
            return self.manage("openapi", "breaking")

    def test_without_a_repository_there_is_nothing_to_compare_with(self) -> None:
        for says in ("fatal: not a git repository", "fatal: invalid object name HEAD."):
            result = self.breaking_by(says, 128)
            self.assertIn("no earlier openapi.json", result.stdout)
            self.assertEqual(result.exit_code, 0)

    def test_a_git_that_refuses_is_no_agreement(self) -> None:
        says = "fatal: detected dubious ownership in repository"
        self.assert_stops(self.breaking_by(says, 128), 1, says)
        with (
            patch("shutil.which", return_value=None),
            patch.object(Path, "exists", return_value=True),
        ):
            result = self.manage("openapi", "breaking")
        self.assert_stops(result, 1, "git was not found")

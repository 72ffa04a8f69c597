from pathlib import Path
from unittest import TestCase
from unittest.mock import patch

from click.testing import CliRunner, Result

from chassis.cli.main import cli
from chassis.project import Project

PRODUCTION = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": "not a secret, but long enough for one",
    "S3_BUCKET": "files",  # Required where files are stored, and ignored elsewhere.
}


class CommandLineTestCase(TestCase):
    """Runs `manage.py` as in production, without a developer's own .env."""

    def setUp(self) -> None:
        super().setUp()
        self.enterContext(patch.object(Project, "dotenv", Path("no-such-file")))

    def manage(self, *arguments: str, **variables: str) -> Result:
        return CliRunner().invoke(cli, arguments, env=PRODUCTION | variables)

    def assert_stops(self, result: Result, code: int, sentence: str) -> None:
        """Assert that the command printed its error without a traceback, and its exit status."""
        self.assertEqual(result.exit_code, code, result.output)
        self.assertRegex(result.stderr, sentence)
        self.assertNotIn("Traceback", result.output)

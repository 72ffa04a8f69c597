"""No SIGTERM or Ctrl-C is lost at any moment of a revision with many short statements."""

import os
import random
import signal
import subprocess
import sys
import time

from chassis.project import current_project
from support.revisions import RevisionsTestCase
from support.windows import wait_until

TRIES = int(os.environ.get("INTERRUPTIONS", "6"))  # docs/decisions.md reports a run with 60.
SECONDS = 10  # Seconds that each process has to end.
LONG = 'for _ in range(1_000_000):\n        op.execute("SELECT 1")'
COMMAND = """
import sys
from pathlib import Path
from unittest.mock import patch
import src
from chassis.cli.main import cli
from chassis.project import Project
with patch.object(Project, "alembic_file", Path(sys.argv[1])):
    cli(sys.argv[2:])
"""
AT_WORK = """
    SELECT FROM ops.step WHERE finished_at IS NULL AND revision = '0002'
    AND EXISTS (SELECT FROM pg_stat_activity WHERE query = 'SELECT 1' AND pid <> pg_backend_pid()
        AND datname = current_database())
"""


class InterruptionTest(RevisionsTestCase):
    def start(self) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", COMMAND, str(self.versions.parents[1] / "pyproject.toml")]
        process = subprocess.Popen(
            [*command, "db", "upgrade"],
            cwd=current_project().root,
            env=os.environ | {"ENVIRONMENT": "production", "DATABASE_URL": self.database_url},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def test_none_is_lost(self) -> None:
        chance = random.Random(TRIES)
        for number in range(TRIES):
            kind = (signal.SIGTERM, signal.SIGINT)[number % 2]
            with self.subTest(number=number, kind=kind):
                self.sql("TRUNCATE ops.window RESTART IDENTITY CASCADE")
                self.newest = 1
                self.revision(code=LONG, maintenance="read-only")
                process = self.start()
                wait_until(lambda: self.sql(AT_WORK))
                time.sleep(chance.random() / 2)  # A random moment, not a wait.
                process.send_signal(kind)
                _, said = process.communicate(timeout=SECONDS)
                self.assertEqual(process.returncode, 1, said)
                self.assertIn("Error: The command was interrupted. Run it again", said)
                self.assertRegex(said, r"schema +is at 0001\n")
                self.assertNotIn("Traceback", said)
                self.assertEqual(self.current(), "0001")
                self.assertEqual(self.last_window().outcome, "rolled back")
                self.assert_nothing_held()

    def test_one_that_comes_while_it_waits_for_a_lock_ends_it(self) -> None:
        self.revision("ALTER TABLE things ADD COLUMN more int", maintenance="read-only")
        reader = self.connect("reporting")
        reader.exec_driver_sql("LOCK TABLE things")
        self.revision("SELECT 1")
        process = self.start()
        wait_until(lambda: self.sql("SELECT FROM ops.step") or "relation" in self.awaited_locks())
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=SECONDS)
        self.assertEqual(process.returncode, 1, said)
        self.assertIn("The command was interrupted", said)

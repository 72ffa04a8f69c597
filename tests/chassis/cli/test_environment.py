"""`python manage.py` works with the machine's Python, which lacks the project's packages."""

import subprocess
import sys
import unittest
from pathlib import Path
from tempfile import TemporaryDirectory

from chassis.project import current_project

# -I and -S hide installed packages. -I also hides the script's folder, so the test adds it.
BARE = [sys._base_executable, "-I", "-S", "-c"]  # type: ignore[attr-defined]
RUN = (
    "import runpy, sys; script = sys.argv[1]; sys.argv = sys.argv[1:]; "
    "sys.path.insert(0, script.rpartition('/')[0]); runpy.run_path(script, run_name='__main__')"
)
FILES = (
    "manage.py",
    "chassis/__init__.py",
    "chassis/cli/__init__.py",
    "chassis/cli/environment.py",
)
ECHO = '#!/bin/sh\necho "$@"\n'


class EnvironmentTest(unittest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.folder = Path(self.enterContext(TemporaryDirectory()), "a b")
        for name in FILES:
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes((current_project().root / name).read_bytes())
        self.script = str(self.folder / "manage.py")

    def run_bare(self) -> subprocess.CompletedProcess[str]:
        command = [*BARE, RUN, self.script, "token", "--scope", "a b"]
        return subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)

    def test_the_project_s_own_environment_goes_on(self) -> None:
        python = self.folder / ".venv/bin/python"
        python.parent.mkdir(parents=True)
        python.write_text(ECHO)
        python.chmod(0o755)
        self.assertEqual(self.run_bare().stdout, f"{self.script} token --scope a b\n")

    def test_without_one_a_sentence_says_what_makes_it(self) -> None:
        result = self.run_bare()
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, r"^Error: \S+ does not have .* `make run` installs them")
        self.assertEqual(result.stderr.count("\n"), 1)

"""Each module in a project's `src/commands/` is a command of manage.py."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from chassis.cli.main import cli
from chassis.project import Project
from support.command_line import CommandLineTestCase

GREET = '''
import click
from chassis.core.errors import ConflictError

@click.command()
@click.argument("name")
def command(name):
    """Greet somebody."""
    if name == "nobody":
        raise ConflictError("There is nobody.")
    click.echo(f"Hello, {name}.")
'''


class OwnCommandsTest(CommandLineTestCase):
    def setUp(self) -> None:
        super().setUp()
        root = Path(self.enterContext(TemporaryDirectory()))
        folder = root / "greeters" / "commands"
        folder.mkdir(parents=True)
        for file, text in (("__init__.py", ""), ("greet_people.py", GREET)):
            (folder / file).write_text(text)
        (folder.parent / "__init__.py").touch()
        self.enterContext(patch.object(sys, "path", [str(root), *sys.path]))
        project = Project(root=root, package="greeters")
        self.enterContext(patch("chassis.cli.main.current_project", lambda: project))
        self.addCleanup(cli.commands.pop, "greet-people", None)
        for name in ("greeters", "greeters.commands", "greeters.commands.greet_people"):
            self.addCleanup(sys.modules.pop, name, None)

    def test_one_is_listed_and_run_as_any_other(self) -> None:
        self.assertIn("greet-people  Greet somebody.", self.manage("--help").stdout)
        self.assertEqual(self.manage("greet-people", "Ada").stdout, "Hello, Ada.\n")

    def test_what_it_raises_is_a_sentence_and_an_exit_code(self) -> None:
        self.assert_stops(self.manage("greet-people", "nobody"), 1, "There is nobody.")

    def test_without_a_folder_there_are_none(self) -> None:
        with TemporaryDirectory() as empty:
            project = Project(root=Path(empty), package="greeters")
            self.assertEqual((project.commands(), project.command("greet-people")), ([], None))

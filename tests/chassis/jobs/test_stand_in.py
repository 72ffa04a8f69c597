"""The jobs of a unit of work in memory."""

import os
import subprocess
import sys
from unittest import TestCase

from chassis.project import current_project

ENQUEUE = """
import src
from chassis.development.testing.memory import MemoryUnitOfWorkFactory

with MemoryUnitOfWorkFactory()() as work:
    work.jobs.enqueue("todos.complete", {"todo_id": "0"})
    print(work.jobs.enqueued)
"""
NOWHERE = "postgresql://nobody@127.0.0.1:1/x"
COMMAND = """
from unittest.mock import patch

import src
from chassis.cli import project_commands
from chassis.jobs.tasks import all_tasks

with patch("code.interact"), patch.object(project_commands, "require_ready_database"):
    with patch("src.seeds.todos.seed"):
        project_commands.{function}.main([], standalone_mode=False)
print([task.name for task in all_tasks()])
"""


class StandInTest(TestCase):
    def test_it_knows_the_tasks_of_the_project_where_nothing_has_imported_them(self) -> None:
        """A unit test that runs alone makes no container, which would import the tasks."""
        result = subprocess.run(
            [sys.executable, "-c", ENQUEUE],
            cwd=current_project().root,
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(result.stderr, "")
        self.assertEqual(result.stdout, "[('todos.complete', {'todo_id': '0'})]\n")

    def test_so_do_the_shell_and_the_seeds(self) -> None:
        """They enqueue on a container that they make in a process of their own."""
        for function in ("shell", "seed"):
            with self.subTest(function):
                result = subprocess.run(
                    [sys.executable, "-c", COMMAND.format(function=function)],
                    cwd=current_project().root,
                    env=os.environ | {"ENVIRONMENT": "development", "DATABASE_URL": NOWHERE},
                    capture_output=True,
                    text=True,
                    check=False,
                )
                self.assertIn("'todos.complete'", result.stdout, result.stderr)

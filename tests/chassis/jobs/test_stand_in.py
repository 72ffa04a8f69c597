"""The jobs of a unit of work in memory."""

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

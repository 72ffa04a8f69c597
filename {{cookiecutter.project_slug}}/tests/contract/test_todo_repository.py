"""The contract of the repository of todos, for PostgreSQL and for memory."""

from unittest import TestCase

from chassis.development.testing.database_cases import DatabaseTestCase
from chassis.development.testing.memory import MemoryUnitOfWorkFactory
from chassis.postgres.engines import Engines
from chassis.postgres.unit_of_work_factory import SqlUnitOfWorkFactory
from src.domain.models.todo import Todo
from src.infrastructure.databases.unit_of_work import SqlUnitOfWork
from src.services.ports import UnitOfWorkFactory
from tests.unit.memory_todos import MemoryTodoRepository


class TodoRepositoryContract(TestCase):
    unit_of_work: UnitOfWorkFactory

    def test_todos_are_found_by_their_whole_title_the_oldest_first(self) -> None:
        for title in ("tea", "teapot", "tea", "Tea"):
            with self.unit_of_work() as work:
                work.todos.add(Todo(title=title))
        with self.unit_of_work(read_only=True) as work:
            todos = work.todos.titled("tea")
            self.assertEqual(work.todos.titled("coffee"), [])
            self.assertEqual(work.todos.where(title="Tea").titled("tea"), [])
        self.assertEqual([todo.title for todo in todos], ["tea", "tea"])
        self.assertEqual([todo.id for todo in todos], sorted(todo.id for todo in todos))


class MemoryTodoRepositoryTest(TodoRepositoryContract):
    def setUp(self) -> None:
        self.unit_of_work = MemoryUnitOfWorkFactory(todos=MemoryTodoRepository)


class SqlTodoRepositoryTest(DatabaseTestCase, TodoRepositoryContract):
    def setUp(self) -> None:
        super().setUp()
        engines = Engines.connect(self.database_url, name="tests", pool_size=1)
        self.addCleanup(engines.dispose)
        self.unit_of_work = SqlUnitOfWorkFactory(engines, SqlUnitOfWork)


del TodoRepositoryContract  # The base class is not a test itself.

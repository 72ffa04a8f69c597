from datetime import UTC, datetime
from unittest import TestCase
from unittest.mock import Mock

from chassis.core.errors import ConflictError, NotFoundError
from chassis.core.identity import uuid7
from chassis.core.paging import PageQuery
from chassis.development.testing.memory import MemoryUnitOfWorkFactory
from src.services.ports import Clock
from src.services.todo_service import TodoService
from tests.unit.memory_todos import MemoryTodoRepository

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class TodoServiceTest(TestCase):
    def setUp(self) -> None:
        unit_of_work = MemoryUnitOfWorkFactory(todos=MemoryTodoRepository)
        clock = Mock(spec=Clock)
        clock.now.return_value = NOON
        self.todos = TodoService(unit_of_work, clock)

    def test_a_created_todo_is_listed(self) -> None:
        todo = self.todos.create(title="x")
        self.assertEqual(self.todos.read(todo.id).title, "x")
        page = self.todos.page(PageQuery(limit=10))
        self.assertEqual([one.id for one in page], [todo.id])

    def test_todos_are_found_by_their_title(self) -> None:
        todo, _ = (self.todos.create(title=title) for title in "xy")
        self.assertEqual([one.id for one in self.todos.titled("x")], [todo.id])

    def test_a_change_is_stored(self) -> None:
        todo = self.todos.create(title="x")
        self.todos.change(todo.id, title="y")
        self.assertEqual(self.todos.read(todo.id).title, "y")

    def test_a_change_of_nothing_keeps_the_title(self) -> None:
        todo = self.todos.create(title="x")
        self.assertEqual(self.todos.change(todo.id).title, "x")

    def test_completing_stores_the_moment(self) -> None:
        todo = self.todos.create(title="x")
        self.todos.complete(todo.id)
        self.assertEqual(self.todos.read(todo.id).completed_at, NOON)

    def test_completing_twice_is_refused(self) -> None:
        todo = self.todos.create(title="x")
        self.todos.complete(todo.id)
        with self.assertRaises(ConflictError):
            self.todos.complete(todo.id)

    def test_a_deleted_todo_is_gone(self) -> None:
        todo = self.todos.create(title="x")
        self.todos.delete(todo.id)
        with self.assertRaises(NotFoundError):
            self.todos.read(todo.id)

    def test_an_unknown_todo_is_not_found(self) -> None:
        for operation in (self.todos.read, self.todos.complete, self.todos.delete):
            with self.subTest(operation.__name__), self.assertRaises(NotFoundError):
                operation(uuid7())
        with self.assertRaises(NotFoundError):
            self.todos.change(uuid7(), title="y")

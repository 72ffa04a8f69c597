from datetime import UTC, datetime
from unittest import TestCase

from chassis.core.errors import ConflictError, ValidationError
from src.domain.models.todo import Todo

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class TodoTest(TestCase):
    def test_a_title_has_1_to_200_characters(self) -> None:
        for title in ("x", "x" * 200):
            self.assertEqual(Todo(title=title).title, title)
        for title in ("", "x" * 201):
            with self.subTest(length=len(title)), self.assertRaises(ValidationError):
                Todo(title=title)

    def test_a_refused_title_changes_nothing(self) -> None:
        todo = Todo(title="kept")
        with self.assertRaises(ValidationError):
            todo.change(title="")
        self.assertEqual(todo.title, "kept")

    def test_it_is_completed_once(self) -> None:
        todo = Todo(title="x")
        todo.complete(at=NOON)
        with self.assertRaises(ConflictError):
            todo.complete(at=NOON.replace(hour=13))
        self.assertEqual(todo.completed_at, NOON)

    def test_a_change_does_not_take_the_completion_back(self) -> None:
        todo = Todo(title="x")
        todo.complete(at=NOON)
        with self.assertRaises(AttributeError):
            todo.change(completed_at=None)

from typing import Any
from uuid import UUID

from chassis.core.paging import PageQuery
from src.domain.models.todo import Todo
from src.services.ports import Clock, UnitOfWorkFactory


class TodoService:
    """Each method raises what a unit of work, Repository and Todo raise."""

    def __init__(self, unit_of_work: UnitOfWorkFactory, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    def page(self, query: PageQuery) -> list[Todo]:
        with self._unit_of_work(read_only=True) as work:
            return work.todos.page(query)

    def create(self, **values: Any) -> Todo:
        """`values` are the fields of a todo."""
        todo = Todo(**values)
        with self._unit_of_work() as work:
            work.todos.add(todo)
        return todo

    def read(self, todo_id: UUID) -> Todo:
        with self._unit_of_work(read_only=True) as work:
            return work.todos.get(todo_id)

    def titled(self, title: str) -> list[Todo]:
        with self._unit_of_work(read_only=True) as work:
            return work.todos.titled(title)

    def change(self, todo_id: UUID, **changes: Any) -> Todo:
        """Change what is given, all or nothing."""
        with self._unit_of_work() as work:
            todo = work.todos.get(todo_id)
            if changes:
                todo.change(**changes)
                work.todos.save(todo)
        return todo

    def complete(self, todo_id: UUID) -> Todo:
        with self._unit_of_work() as work:
            todo = work.todos.get(todo_id)
            todo.complete(at=self._clock.now())
            work.todos.save(todo)
        return todo

    def delete(self, todo_id: UUID) -> None:
        with self._unit_of_work() as work:
            work.todos.remove(work.todos.get(todo_id))

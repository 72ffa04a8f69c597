from typing import TypedDict
from uuid import UUID

from chassis.core.paging import PageQuery
from src.domain.models.todo import Todo
from src.services.ports import Clock, UnitOfWorkFactory


class TodoChanges(TypedDict, total=False):
    title: str


class TodoService:
    """Each method raises what UnitOfWorkFactory, Repository and Todo raise."""

    def __init__(self, unit_of_work: UnitOfWorkFactory, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    def page(self, query: PageQuery) -> list[Todo]:
        with self._unit_of_work(read_only=True) as work:
            return work.todos.page(query)

    def create(self, title: str) -> Todo:
        todo = Todo(title=title)
        with self._unit_of_work() as work:
            work.todos.add(todo)
        return todo

    def get(self, todo_id: UUID) -> Todo:
        with self._unit_of_work(read_only=True) as work:
            return work.todos.get(todo_id)

    def titled(self, title: str) -> list[Todo]:
        with self._unit_of_work(read_only=True) as work:
            return work.todos.titled(title)

    def change(self, todo_id: UUID, changes: TodoChanges) -> Todo:
        """Change the fields that `changes` contains, to None too; other fields stay."""
        with self._unit_of_work() as work:
            todo = work.todos.get(todo_id)
            if "title" in changes:
                todo.rename(changes["title"])
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

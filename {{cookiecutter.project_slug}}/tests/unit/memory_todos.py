from copy import copy
from operator import attrgetter

from chassis.development.testing.memory import MemoryRepository
from src.domain.models.todo import Todo
from src.services.ports import TodoRepository


class MemoryTodoRepository(MemoryRepository[Todo], TodoRepository):
    def titled(self, title: str) -> list[Todo]:
        titled = [copy(todo) for todo in self._entities.values() if todo.title == title]
        return sorted(titled, key=attrgetter("id"))

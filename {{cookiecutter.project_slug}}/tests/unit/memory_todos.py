from chassis.development.testing.memory import MemoryRepository
from src.domain.models.todo import Todo
from src.services.ports import TodoRepository


class MemoryTodoRepository(MemoryRepository[Todo], TodoRepository):
    def titled(self, title: str) -> list[Todo]:
        return self.entities(lambda todo: todo.title == title)

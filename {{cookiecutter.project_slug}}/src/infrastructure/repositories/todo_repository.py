from sqlalchemy import bindparam

from chassis.postgres.fast.statements import Statement
from chassis.postgres.sql_repository import SqlRepository
from src.domain.models.todo import Todo
from src.infrastructure.models.todos import todos
from src.services.ports import TodoRepository

TITLED = Statement(todos.select().where(todos.c.title == bindparam("title")).order_by(todos.c.id))


class SqlTodoRepository(SqlRepository[Todo], TodoRepository):
    def titled(self, title: str) -> list[Todo]:
        return self.entities(TITLED, title=title)

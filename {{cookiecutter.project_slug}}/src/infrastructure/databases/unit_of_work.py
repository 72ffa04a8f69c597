from sqlalchemy import Connection

from chassis.postgres.unit_of_work_factory import SqlWork
from src.domain.models.todo import Todo
from src.infrastructure.models.todos import todos
from src.services.ports import UnitOfWork


class SqlUnitOfWork(SqlWork, UnitOfWork):
    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.todos = self.repository(todos, Todo)

from sqlalchemy import Connection

from chassis.jobs.outbox import SqlJobs
from chassis.postgres.stored_files import SqlFileRepository
from chassis.postgres.unit_of_work_factory import SqlWork
from src.domain.models.todo import Todo
from src.infrastructure.models.todos import todos
from src.infrastructure.repositories.todo_repository import SqlTodoRepository
from src.services.ports import UnitOfWork


class SqlUnitOfWork(SqlWork, UnitOfWork):
    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.jobs = SqlJobs(connection)
        self.todos = SqlTodoRepository(connection, todos, Todo, self.clock)
        self.files = SqlFileRepository(connection, self.clock)

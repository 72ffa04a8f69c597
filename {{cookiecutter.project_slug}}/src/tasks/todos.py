from typing import Annotated
from uuid import UUID

from dependency_injector.wiring import Provide, inject

from chassis.jobs.tasks import task
from src.services.todo_service import TodoService

Todos = Annotated[TodoService, Provide["todo_service"]]


@task("todos.complete")
@inject
def complete_todo(todo_id: UUID, todos: Todos) -> None:
    """Mark a todo as done."""
    todos.complete(todo_id)

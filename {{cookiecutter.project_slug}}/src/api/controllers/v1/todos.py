from typing import Annotated, Any
from uuid import UUID

from dependency_injector.wiring import Provide, inject
from flask import url_for

from chassis.core.paging import PageQuery
from chassis.http.flow.blueprint import Blueprint
from chassis.http.output.pages import page
from src.api.responses import created
from src.api.schemas.v1.todo import TodoInput, TodoOutput, TodoPage, TodoQuery
from src.domain.models.todo import Todo
from src.services.todo_service import TodoService

blueprint = Blueprint("todos", __name__, url_prefix="/todos")

Todos = Annotated[TodoService, Provide["todo_service"]]


@blueprint.get("")
@blueprint.public
@blueprint.arguments(TodoQuery, location="query")
@blueprint.response(200, TodoPage)
@inject
def list_todos(query: PageQuery, todos: Todos) -> dict[str, Any]:
    """List todos, the oldest first unless they are sorted."""
    return page(todos.page, query)


@blueprint.post("")
@blueprint.requires("todos:write")
@blueprint.arguments(TodoInput)
@blueprint.response(201, TodoOutput)
@inject
def create_todo(body: dict[str, Any], todos: Todos) -> tuple[Todo, dict[str, str]]:
    """Create a todo."""
    todo = todos.create(**body)
    return created(todo, url_for(".read_todo", todo_id=todo.id))


@blueprint.get("/<uuid:todo_id>")
@blueprint.public
@blueprint.response(200, TodoOutput)
@inject
def read_todo(todo_id: UUID, todos: Todos) -> Todo:
    """Read one todo."""
    return todos.read(todo_id)


@blueprint.patch("/<uuid:todo_id>")
@blueprint.requires("todos:write")
@blueprint.arguments(TodoInput(partial=True))
@blueprint.response(200, TodoOutput)
@inject
def change_todo(body: dict[str, Any], todo_id: UUID, todos: Todos) -> Todo:
    """Change what is given of a todo."""
    return todos.change(todo_id, **body)


@blueprint.post("/<uuid:todo_id>/complete")
@blueprint.requires("todos:write")
@blueprint.response(200, TodoOutput)
@inject
def complete_todo(todo_id: UUID, todos: Todos) -> Todo:
    """Mark a todo as done."""
    return todos.complete(todo_id)


@blueprint.delete("/<uuid:todo_id>")
@blueprint.requires("todos:write")
@blueprint.response(204)
@inject
def delete_todo(todo_id: UUID, todos: Todos) -> None:
    """Delete a todo."""
    todos.delete(todo_id)

from chassis.core.paging import PageQuery
from src.dependency_container import Container

TITLES = ("Read one request from URL to SQL", "Add a resource", "Delete this example")


def seed(container: Container) -> None:
    """Add the examples, unless there are todos already."""
    todos = container.todo_service()
    if todos.page(PageQuery(limit=1)):
        return
    for title in TITLES:
        todos.create(title=title)

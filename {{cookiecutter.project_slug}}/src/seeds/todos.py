from src.dependency_container import Container

TITLES = ("Read one request from URL to SQL", "Add a resource", "Delete this example")


def seed(container: Container) -> None:
    """Add the examples that do not exist yet."""
    todos = container.todo_service()
    for title in TITLES:
        if not todos.titled(title):
            todos.create(title=title)

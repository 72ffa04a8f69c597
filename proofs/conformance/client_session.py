"""Uses the generated client like a developer; runs in the generator's environment."""

import os
import sys

from client import AuthenticatedClient  # type: ignore[import-not-found]  # The package was generated before.
from client.api.todos import (  # type: ignore[import-not-found]
    change_todo,
    complete_todo,
    create_todo,
    delete_todo,
    list_todos,
    read_todo,
)
from client.models import Problem, TodoInput, TodoOutput, TodoPatch  # type: ignore[import-not-found]


def session(client: AuthenticatedClient) -> None:
    made = [
        create_todo.sync(client=client, body=TodoInput(title=title)) for title in ("One", "Another")
    ]
    assert all(isinstance(todo, TodoOutput) for todo in made), made
    first, second = made
    print("create: ok")

    page = list_todos.sync(client=client, limit=1)
    rest = list_todos.sync(client=client, limit=1, cursor=page.next_)
    assert [todo.id for todo in page.items + rest.items] == [first.id, second.id]
    assert rest.next_ is None
    print("page: ok")

    changed = change_todo.sync(first.id, client=client, body=TodoPatch(title="Changed"))
    assert (changed.title, changed.version) == ("Changed", 2), changed
    print("change: ok")

    assert read_todo.sync(first.id, client=client).title == "Changed"
    print("read: ok")

    assert complete_todo.sync(first.id, client=client).completed_at.tzinfo
    print("complete: ok")

    assert delete_todo.sync_detailed(first.id, client=client).status_code == 204
    print("delete: ok")

    gone = read_todo.sync(first.id, client=client)
    assert isinstance(gone, Problem), gone
    assert (gone.status, gone.type_) == (404, "not-found")
    print("problem: ok")


if __name__ == "__main__":
    token = os.environ["SERVICE_TOKEN"]
    session(AuthenticatedClient(sys.argv[1], token=token, raise_on_unexpected_status=True))

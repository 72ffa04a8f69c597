"""A dictionary of todos that is compared with the service."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from proofs.conformance.racers import Answer, Client
from proofs.harness.load import PATH

UNKNOWN = "00000000-0000-7000-8000-000000000000"
# The If-Match of a request, and whether it matches the current version.
CONDITIONS = {
    "nothing": ({}, True),
    "the present version": ({"If_Match": "{new}"}, True),
    "any version": ({"If_Match": "*"}, True),
    "one of two": ({"If_Match": "{old}, {new}"}, True),
    "not an old one": ({"If_None_Match": "{old}"}, True),
    "an old version": ({"If_Match": "{old}"}, False),
    "a weak tag": ({"If_Match": "W/{new}"}, False),
    "not the present one": ({"If_None_Match": "W/{new}"}, False),
    "none at all": ({"If_None_Match": "*"}, False),
}


@dataclass(slots=True)
class Todo:
    title: str
    completed_at: str | None = None
    version: int = 1
    tags: list[str] = field(default_factory=lambda: ['"0"'])

    def demanding(self, condition: str) -> tuple[dict[str, str], bool]:
        headers, holds = CONDITIONS[condition]
        old, new = self.tags[-2], self.tags[-1]
        return {name: value.format(old=old, new=new) for name, value in headers.items()}, holds


class Todos:
    """Sends each request to the service, applies it to the dictionary, and compares."""

    def __init__(self, url: str, steps: Counter[str]) -> None:
        self.client = Client(url)
        self.steps = steps
        self.todos: dict[str, Todo] = {}
        self.gone: list[str] = []

    def pick(self, which: int) -> str:
        """Pick an existing id, a deleted one, or one that never existed."""
        known = [*self.todos, *self.todos, *self.gone] or [UNKNOWN]
        return known[which % len(known)]

    def ask(self, step: str, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        self.steps[step] += 1
        return self.client.ask(method, f"{PATH}{path}", body, **headers)

    def expect(self, answer: Answer, status: int, kind: str = "") -> None:
        assert answer.status == status, (answer, status)
        if kind:
            assert answer.json["type"] == kind, answer
            assert answer.headers["content-type"] == "application/problem+json"

    def expect_todo(self, answer: Answer, status: int, one: str) -> None:
        """Compare a todo with the dictionary; its ETag must be new for each version."""
        self.expect(answer, status)
        todo = self.todos[one]
        expected = {"id": one, "title": todo.title, "version": todo.version}
        assert answer.json == expected | {"completed_at": todo.completed_at}, (answer, todo)
        tag = answer.headers["etag"]
        if len(todo.tags) == todo.version:
            assert tag not in todo.tags
            todo.tags.append(tag)
        assert tag == todo.tags[-1]

    def expect_refusal(self, answer: Answer, one: str, *, holds: bool) -> bool:
        if one not in self.todos:
            self.expect(answer, 404, "not-found")
        elif not holds:
            self.expect(answer, 412, "precondition-failed")
        else:
            return False
        return True

    def demand(self, one: str, condition: str) -> tuple[dict[str, str], bool]:
        return self.todos[one].demanding(condition) if one in self.todos else ({}, True)

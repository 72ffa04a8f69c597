"""A Hypothesis state machine compares todos over HTTP with a dictionary; prints JSON.

python -m proofs.conformance.todo_machine URL STEPS
"""

# mypy: disable-error-code="import-not-found, misc, untyped-decorator"

import json
import sys
from collections import Counter
from unicodedata import normalize
from uuid import uuid4

from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    precondition,
    rule,
    run_state_machine_as_test,
)

from proofs.conformance.racers import Answer
from proofs.conformance.todo_model import CONDITIONS, Todo, Todos
from proofs.harness.load import PATH

LENGTH = 50  # The most steps of a run.
RUNS = 10  # Runs of a round.
TITLES = st.text(st.characters(exclude_categories=["Cs", "M"], exclude_characters="\0"), min_size=1)
TITLES = st.sampled_from(["same", "other"]) | TITLES.filter(lambda title: len(title) <= 60)
WHICH = st.integers(min_value=0, max_value=99)
steps: Counter[str] = Counter()


class TodoMachine(Todos, RuleBasedStateMachine):
    def __init__(self) -> None:
        RuleBasedStateMachine.__init__(self)
        Todos.__init__(self, sys.argv[1], steps)
        self.keys: list[tuple[str, str, Answer]] = []

    @rule(title=TITLES, keyed=st.booleans())
    def create(self, title: str, keyed: bool) -> None:
        key = str(uuid4())
        headers = {"Idempotency_Key": key} if keyed else {}
        answer = self.ask("create", "POST", "", {"title": title}, **headers)
        self.expect(answer, 201)
        one = answer.json["id"]
        assert one not in self.todos
        assert answer.headers["location"] == f"{PATH}/{one}"
        self.todos[one] = Todo(normalize("NFC", title))
        self.expect_todo(answer, 201, one)
        if keyed:
            self.keys.append((key, title, answer))

    @precondition(lambda self: self.keys)
    @rule(which=WHICH, same=st.booleans())
    def create_again(self, which: int, same: bool) -> None:
        key, title, first = self.keys[which % len(self.keys)]
        body = {"title": title if same else f"{title}!"}
        answer = self.ask("create again", "POST", "", body, Idempotency_Key=key)
        if same:
            assert (answer.status, answer.body) == (201, first.body)
            assert answer.headers["etag"] == first.headers["etag"]
            assert answer.headers["idempotent-replayed"] == "true"
        else:
            self.expect(answer, 422, "idempotency-key-reused")

    @rule(which=WHICH, method=st.sampled_from(["GET", "HEAD"]))
    def read(self, which: int, method: str) -> None:
        one = self.pick(which)
        answer = self.ask("read", method, f"/{one}")
        if one not in self.todos:
            assert answer.status == 404
        elif method == "HEAD":
            assert (answer.status, answer.body) == (200, b"")
            assert answer.headers["etag"] == self.todos[one].tags[-1]
        else:
            self.expect_todo(answer, 200, one)

    @rule(which=WHICH, fresh=st.booleans())
    def read_if_changed(self, which: int, fresh: bool) -> None:
        one = self.pick(which)
        tag = self.todos[one].tags[-1 if fresh else -2] if one in self.todos else "*"
        answer = self.ask("read if changed", "GET", f"/{one}", If_None_Match=tag)
        if one not in self.todos:
            self.expect(answer, 404, "not-found")
        elif fresh:
            assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", tag)
        else:
            self.expect_todo(answer, 200, one)

    @rule(which=WHICH, title=st.none() | TITLES, condition=st.sampled_from([*CONDITIONS]))
    def change(self, which: int, title: str | None, condition: str) -> None:
        one = self.pick(which)
        headers, holds = self.demand(one, condition)
        body = {} if title is None else {"title": title}
        answer = self.ask("change", "PATCH", f"/{one}", body, **headers)
        if not self.expect_refusal(answer, one, holds=holds):
            if title is not None:
                self.todos[one].title = normalize("NFC", title)
                self.todos[one].version += 1
            self.expect_todo(answer, 200, one)

    @rule(which=WHICH, condition=st.sampled_from([*CONDITIONS]))
    def complete(self, which: int, condition: str) -> None:
        one = self.pick(which)
        headers, holds = self.demand(one, condition)
        answer = self.ask("complete", "POST", f"/{one}/complete", **headers)
        if self.expect_refusal(answer, one, holds=holds):
            return
        todo = self.todos[one]
        if todo.completed_at is not None:
            self.expect(answer, 409, "conflict")
        else:
            todo.completed_at = answer.json["completed_at"]
            assert todo.completed_at is not None
            todo.version += 1
            self.expect_todo(answer, 200, one)

    @rule(which=WHICH, condition=st.sampled_from([*CONDITIONS]))
    def delete(self, which: int, condition: str) -> None:
        one = self.pick(which)
        headers, holds = self.demand(one, condition)
        answer = self.ask("delete", "DELETE", f"/{one}", **headers)
        if not self.expect_refusal(answer, one, holds=holds):
            self.expect(answer, 204)
            del self.todos[one]
            self.gone.append(one)

    @rule(limit=st.integers(1, 7), descends=st.booleans())
    def list_all(self, limit: int, descends: bool) -> None:
        query = f"?limit={limit}&sort={'-' if descends else ''}created_at"
        answer = self.ask("list", "GET", query)
        found = answer.json["items"]
        while answer.json["next"] is not None:
            assert len(answer.json["items"]) == limit
            answer = self.ask("next page", "GET", f"{query}&cursor={answer.json['next']}")
            found += answer.json["items"]
        assert [one["id"] for one in found] == sorted(self.todos, reverse=descends)
        assert [one["title"] for one in found] == [self.todos[one["id"]].title for one in found]

    @rule()
    def filter_by_title(self) -> None:
        found = self.ask("filter", "GET", "?title=same&limit=100").json["items"]
        same = [one for one, todo in self.todos.items() if todo.title == "same"]
        assert [one["id"] for one in found] == sorted(same)

    def teardown(self) -> None:
        for one in self.todos:
            self.expect(self.client.ask("DELETE", f"{PATH}/{one}"), 204)
        assert self.client.ask("GET", PATH).json == {"items": [], "next": None}
        self.client.close()


def main() -> None:
    wanted = int(sys.argv[2])
    options = settings(
        max_examples=RUNS,
        stateful_step_count=LENGTH,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    for number in range(1, 1000):
        run_state_machine_as_test(seed(number)(TodoMachine), settings=options)
        print(f"  round {number}: {steps.total()} steps", flush=True)
        if steps.total() >= wanted:
            break
    print(json.dumps(dict(sorted(steps.items()))))


if __name__ == "__main__":
    main()

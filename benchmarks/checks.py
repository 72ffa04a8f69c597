"""Checks that each application answers correctly before it is measured."""

import http.client
import json
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import uuid4

from benchmarks.rows import Rows, same
from benchmarks.servers import PING, Server

LIMIT = 20
CLIENTS, WRITES = 16, 30
PAGES = 50  # The load asks for so many pages in the middle of the table.
CREATED, CHANGED = "Created by the check", "Changed by the check"
BAD_BODIES = ['{"title": ""}', json.dumps({"title": "x" * 201}), '{"title": []}', "{}", "[]", "{"]


class WrongAnswerError(Exception):
    pass


class Checks:
    def __init__(self, server: Server) -> None:
        self._server = server
        self._rows: Rows = server.rows
        self._contestant = server.contestant
        self._todos = server.contestant.todos
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)

    def run(self) -> list[str]:
        """Check an application; return the paths of some pages. Raise WrongAnswerError."""
        self._ask("GET", PING, expect={200})
        # The log shows whether a token was verified: see Load.
        if self._contestant.token and not self._contestant.is_onion:
            self._ask("GET", self._todos, expect={401}, token="x" + self._contestant.token)
        ids = self._rows.ids()
        if counted := self._contestant.counted:
            self._check_counted(counted, ids)
        for one in (ids[0], ids[2], ids[-1]):  # Every third todo is completed.
            self._require_same(self._ask("GET", f"{self._todos}/{one}", expect={200}), one)
        self._ask("GET", f"{self._todos}/{uuid4()}", expect={404})
        self._ask("GET", f"{self._todos}/nonsense", expect={400, 404, 422})
        self._check_writes(ids)
        self._check_writes_at_once()
        return self._check_pages(ids)

    def close(self) -> None:
        self._connection.close()

    def _check_writes(self, ids: list[str]) -> None:
        created = self._ask("POST", self._todos, json.dumps({"title": CREATED}), expect={201})
        location = urlsplit(created.pop("Location")).path
        self._require_same(created, created["id"])
        self._require_same(self._ask("GET", location, expect={200}), created["id"])
        body = json.dumps({"title": CHANGED})
        changed = self._ask("PATCH", f"{self._todos}/{ids[2]}", body, expect={200})
        self._require_same(changed, ids[2])
        if changed != {**changed, "title": CHANGED, "version": 2}:
            self._refuse("did not change a row as it was told to")
        self._ask("PATCH", f"{self._todos}/{uuid4()}", body, expect={404})
        for bad in BAD_BODIES:
            self._ask("POST", self._todos, bad, expect={400, 422})
        for bad in BAD_BODIES[:3]:
            self._ask("PATCH", f"{self._todos}/{ids[0]}", bad, expect={400, 422})
        if self._rows.remove(CREATED) != 1 or self._rows.ids() != ids:
            self._refuse("stored something else than it answered")
        if self._rows.changes() != 1:
            self._refuse("stored what it refused")

    def _check_writes_at_once(self) -> None:
        """Compare concurrent writes with stored rows exactly, which is not possible under load."""
        body = json.dumps({"title": CREATED})

        def create(_: int) -> None:
            each = Checks(self._server)
            for _ in range(WRITES):
                each._ask("POST", self._todos, body, expect={201})
            each.close()

        with ThreadPoolExecutor(CLIENTS) as clients:
            list(clients.map(create, range(CLIENTS)))
        stored = self._rows.remove(CREATED)
        if stored != CLIENTS * WRITES:
            self._refuse(f"answered {CLIENTS * WRITES} writes and stored {stored}")

    def _check_pages(self, ids: list[str]) -> list[str]:
        """Check that the pages list every row once, in the order of ids."""
        seen: list[str] = []
        paths: list[str] = []
        path: str | None = f"{self._todos}?limit={LIMIT}"
        while path:
            paths.append(path)
            page = self._ask("GET", path, expect={200})
            seen += [item["id"] for item in page["items"]]
            if len(paths) == PAGES:
                for item in page["items"]:
                    self._require_same(item, item["id"])
            path = self._next(page["next"])
        if seen != ids:
            self._refuse("did not list every row once, in order")
        middle = (len(paths) - PAGES) // 2
        return paths[middle : middle + PAGES]

    def _check_counted(self, path: str, ids: list[str]) -> None:
        for offset in (0, LIMIT * PAGES, len(ids) - LIMIT // 2):
            page = self._ask("GET", f"{path}?limit={LIMIT}&offset={offset}", expect={200})
            shown = [item["id"] for item in page["items"]]
            if (shown, page["total"]) != (ids[offset : offset + LIMIT], len(ids)):
                self._refuse(f"did not show {LIMIT} rows from {offset} on, and how many there are")
            self._require_same(page["items"][0], ids[offset])

    def _next(self, value: str | None) -> str | None:
        if value is None:
            return None
        if value.startswith("http"):
            link = urlsplit(value)
            return f"{link.path}?{link.query}"
        return f"{self._todos}?limit={LIMIT}&cursor={quote(value)}"

    def _ask(
        self, method: str, path: str, body: str | None = None, *, expect: set[int], token: str = ""
    ) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"} if body else {}
        if token := token or self._contestant.token:
            headers["Authorization"] = f"Bearer {token}"
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status not in expect:
            self._refuse(f"answered {method} {path} with {answer.status}: {content[:300]!r}")
        if answer.status >= HTTPStatus.BAD_REQUEST:
            return {}
        shows = self._contestant.shows
        if shows and path != PING and not answer.getheader(shows):
            self._refuse(f"answered {method} {path} without {shows}")
        if answer.getheader("Content-Type", "").partition(";")[0] != "application/json":
            self._refuse(f"answered {method} {path} with something else than JSON")
        found: dict[str, Any] = json.loads(content)
        if answer.status == HTTPStatus.CREATED:
            found["Location"] = answer.getheader("Location", "")
        return found

    def _require_same(self, shown: dict[str, Any], todo_id: str) -> None:
        stored = self._rows.find(todo_id)
        if stored is None or not same(shown, stored):
            self._refuse(f"shows {shown} where {stored} is stored")

    def _refuse(self, what: str) -> None:
        raise WrongAnswerError(f"{self._server.contestant.title} {what}.")

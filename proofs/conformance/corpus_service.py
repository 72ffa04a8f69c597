"""The service that gets the corpus, and what its document says of it."""

import json
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from proofs.conformance.frames import Frame, chunk, cut_bodies, hosts, lines
from proofs.conformance.judge import Judge
from proofs.conformance.raw import Answer, ask, head
from proofs.harness.issuer import Issuer

LIMIT = 1_000_000
LONGEST_TARGET = 32_000  # Bytes.
JSON = {"Content-Type": "application/json"}


class Service:
    def __init__(self, port: int, issuer: Issuer) -> None:
        self.port = port
        self.judge = Judge()
        self.document = self.get("/openapi.json").json()
        self.paths: dict[str, Any] = self.document["paths"]
        self.created = 0
        self._ids: dict[str, str] = {}
        self._project = import_module("chassis.development.testing.corpus")
        self._token = issuer.token(*self.scopes())
        self._headers = {"Authorization": f"Bearer {self._token}"}

    def get(self, target: str) -> Answer:
        return self.send("GET", target)

    def send(
        self, method: str, target: str, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> Answer:
        length = {"Content-Length": str(len(body))} if body or method == "POST" else {}
        return ask(self.port, head(method, target, length | (headers or {}), "127.0.0.1") + body)

    def scopes(self) -> set[str]:
        """Return every scope that an operation needs."""
        every = [operation for item in self.paths.values() for operation in item.values()]
        needed = [one["security"] for one in every if "security" in one]
        return {scope for [one] in needed for scope in one["bearer"]}

    def stops_all(self, template: str) -> bool:
        """Tell whether the operation opens a window, which would stop the service for others."""
        return template.startswith("/ops/")

    def corpus(self) -> Any:
        """Make the inputs; paths have ids of rows that were created over HTTP where possible."""
        paths = {template: self.concrete(template) for template in self.paths}
        return self._project.Corpus(self.document, self._token, paths)

    def concrete(self, template: str) -> str:
        *_, last = [None, *re.finditer(r"/{\w+}", template)]
        if last is None:
            return template
        collection = template[: last.start()]
        post = self.paths.get(collection, {}).get("post")
        if post is None or self.stops_all(collection):
            return str(self._project.Corpus(self.document).path(template))
        where = self.concrete(collection)
        if collection not in self._ids:
            answer = self.send("POST", where, JSON | self._headers, self.example(post))
            if answer.status != 201:
                raise AssertionError(f"POST {where} with an example: {answer.body!r}")
            self.created += 1
            self._ids[collection] = answer.headers["location"].rpartition("/")[2]
        return f"{where}/{self._ids[collection]}{template[last.end() :]}"

    def example(self, operation: Any) -> bytes:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        return json.dumps(self._project.example(self.document, schema)).encode()

    def try_input(self, one: Any) -> None:
        answer = self.send(one.method, one.target, one.headers, one.body or b"")
        statuses = frozenset({one.status} - {None})
        if len(one.target) > LONGEST_TARGET:  # The server, which has a limit, answers by itself.
            self.judge.look(one, answer, frozenset({431}), "")
        else:
            self.judge.look(one, answer, statuses, one.slug)
        if one.method != "GET" and 200 <= answer.status < 300:
            self.created += answer.status == 201
            self.look_again(one, answer)

    def try_frame(self, one: Frame) -> None:
        answer = ask(self.port, *one.parts, ends=one.ends)
        self.judge.look(one, answer, one.statuses, one.slug)

    def look_again(self, one: Any, answer: Answer) -> None:
        """Read the written entity and its list; note a read that fails."""
        path = one.target.partition("?")[0]
        places = {path, path.rpartition("/")[0], answer.headers.get("location", path)}
        for place in places:
            if self.is_read(place) and (found := self.get(place)).status != 200:
                self.judge.note("not to be read after a write", one, found)

    def is_read(self, path: str) -> bool:
        return any(
            re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path)
            for template, item in self.paths.items()
            if "get" in item
        )

    def frames(self) -> Iterator[Frame]:
        # Without a token, a POST is refused before its framing, where the path takes it at all.
        read_only = next(path for path, item in self.paths.items() if item.keys() == {"get"})
        # Health and metrics are answered under any name.
        exempt = ("/health", "/metrics")
        yield from hosts(next(path for path in self.paths if not path.startswith(exempt)))
        yield from lines(read_only)
        for template, item in self.paths.items():
            for method in item.keys() & {"post", "put", "patch", "delete"}:
                operation, path = item[method], self.concrete(template)
                extra = self._project.Corpus(self.document, self._token).token(operation)
                body = self.example(operation) if "requestBody" in operation else b"{}"
                yield from cut_bodies(method.upper(), path, body, extra, LIMIT)

    def try_right_ones(self) -> None:
        """Send valid bodies in chunks: a server that rejects every body must not pass."""
        for template, item in self.paths.items():
            for method in sorted(item.keys() & {"post", "put", "patch"}):
                operation = item[method]
                if self.stops_all(template) or "requestBody" not in operation:
                    continue
                path, body = self.concrete(template), self.example(operation)
                chunks = {"Transfer-Encoding": "chunked", **JSON, **self._headers}
                sent = head(method.upper(), path, chunks, "127.0.0.1")
                parts = (sent, chunk(body[:4]), chunk(body[4:]) + b"0\r\n\r\n")
                one = Frame("right", f"{method} {path}", parts, frozenset({200, 201}))
                self.try_frame(one)
                self.created += method == "post"

"""Clients that send at the same moment, each over its own connection."""

import http.client
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier
from typing import Any, TypeVar
from urllib.parse import urlsplit

from proofs.harness.issuer import authorization

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    def __init__(self, url: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send a request; the keyword `If_Match` sets the header If-Match."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if method != "GET":
            sent |= authorization()
        if body is not None:
            sent["Content-Type"] = "application/json"
        self._connection.request(method, path, json.dumps(body) if body is not None else None, sent)
        answer = self._connection.getresponse()
        content = answer.read()
        return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, content)

    def close(self) -> None:
        self._connection.close()


def race(url: str, clients: int, run: Callable[[Client, int], Result]) -> Sequence[Result]:
    """Call `run` with each client and its number, after all clients are connected."""
    start = Barrier(clients)

    def begin(number: int) -> Result:
        client = Client(url)
        try:
            client.ask("GET", "/health/live")
            start.wait(60)
            return run(client, number)
        finally:
            client.close()

    with ThreadPoolExecutor(clients) as pool:
        return list(pool.map(begin, range(clients)))

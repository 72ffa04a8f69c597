"""Clients that send requests over a persistent connection, and record every response."""

import http.client
import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from threading import Event, Thread
from uuid import uuid4

from proofs.harness.issuer import authorization

PATH = "/my_service/v1/todos"
# rehearsal/under_load.py patches the service so that it creates todos with these titles slowly.
SLOW_BEFORE, SLOW_WITHIN = "slow before", "slow within"


@dataclass(frozen=True, slots=True)
class Resource:
    """What the clients create, change and read; `title` is the field that they write."""

    path: str
    title: str
    others: Callable[[str], Mapping[str, str]] = lambda _: {}  # Further fields of a new one.
    public: bool = False  # Reads have no token.


TODOS = Resource(PATH, "title", public=True)


@dataclass(frozen=True, slots=True)
class Answer:
    write: bool
    title: str
    sent: float
    received: float
    status: int  # 0: the connection broke.
    retry_after: bool
    said: str  # the body of a response that is not successful
    client: int = 0
    id: str = ""  # Of the created, changed or read row.

    @property
    def seconds(self) -> float:
        return self.received - self.sent

    @property
    def good(self) -> bool:
        return 200 <= self.status < 300


@dataclass(slots=True)
class Mix:
    writes: float = 0.3
    slow: float = 0.08  # of the writes
    changes: float = 0.0  # of the writes; each client changes only what it created
    pause: float = 0.01  # seconds between an answer and the next request


@dataclass(slots=True)
class Load:
    """All answers, after the end of the block."""

    clients: "list[Client]"
    answers: list[Answer] = field(default_factory=list)

    def wait_for_answers(self, number: int = 1) -> None:
        """Wait until each client got so many answers to requests that it has sent since."""
        # The first may belong to a request that was sent before.
        wanted = [len(client.answers) + 1 + number for client in self.clients]
        while any(len(c.answers) < n for c, n in zip(self.clients, wanted, strict=True)):
            time.sleep(0.01)

    def writes(self) -> list[Answer]:
        return [one for one in self.answers if one.write]

    def reads(self) -> list[Answer]:
        return [one for one in self.answers if not one.write]

    def accepted(self) -> set[str]:
        return {one.title for one in self.writes() if one.good}

    def refused(self) -> set[str]:
        return {one.title for one in self.writes() if one.status and not one.good}

    def unexplained(self) -> list[Answer]:
        """List broken connections and 5xx without Retry-After."""
        return [
            one
            for one in self.answers
            if one.status == 0 or (one.status >= 500 and not one.retry_after)
        ]


class Client(Thread):
    def __init__(
        self, number: int, ports: list[int], resource: Resource, mix: Mix, run: str, stop: Event
    ) -> None:
        super().__init__(daemon=True)
        self.answers: list[Answer] = []
        self._number = number
        self._ports = ports
        self._resource = resource
        self._mix = mix
        self._run = run
        self._stop_wanted = stop
        self._random = random.Random(number)
        self._connections: dict[int, http.client.HTTPConnection] = {}
        self._known: list[str] = []

    def run(self) -> None:
        for n in count():
            if self._stop_wanted.wait(self._mix.pause * self._random.uniform(0.5, 1.5)):
                break
            one = self._random.choice(self._known) if self._known else ""
            if self._random.random() < self._mix.writes:
                change = one if self._random.random() < self._mix.changes else ""
                self._ask("PATCH" if change else "POST", change, self._title(n))
            else:
                self._ask("GET", one if self._random.random() < 0.7 else "", "")
        for connection in self._connections.values():
            connection.close()

    def _title(self, n: int) -> str:
        name = f"{self._run} {self._number}-{n}"
        if self._random.random() >= self._mix.slow:
            return name
        return f"{self._random.choice([SLOW_BEFORE, SLOW_WITHIN])} {name}"

    def _ask(self, method: str, one: str, title: str) -> None:
        path = "/".join(filter(None, [self._resource.path, one]))
        written = {self._resource.title: title} if title else {}
        if method == "POST":
            written.update(self._resource.others(title))
        headers = {"Content-Type": "application/json"} if title else {}
        if title or not self._resource.public:
            headers.update(authorization())
        content = json.dumps(written).encode() if title else None
        status, again, said, sent = 0, False, "", time.time()
        port = self._random.choice(self._ports)
        connection = self._connections.setdefault(
            port, http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        )
        try:
            connection.request(method, path, content, headers)
            response = connection.getresponse()
            body = response.read()
            status, again = response.status, "Retry-After" in response.headers
            if status == 201:
                one = json.loads(body)["id"]
                self._known.append(one)
            elif status >= 300:
                said = body.decode()
        except (OSError, http.client.HTTPException) as error:
            said = repr(error)
            connection.close()
        about = title, sent, time.time(), status, again, said, self._number, one
        self.answers.append(Answer(bool(title), *about))


@contextmanager
def load(
    port: int | list[int], *, clients: int, mix: Mix, resource: Resource = TODOS
) -> Iterator[Load]:
    """Run clients while the block runs. The responses are complete after the block.

    Each request goes to one of the ports. The caller may add and remove ports meanwhile.
    """
    stop, run = Event(), f"load {uuid4().hex[:8]}"
    ports = [port] if isinstance(port, int) else port
    threads = [Client(number, ports, resource, mix, run, stop) for number in range(clients)]
    result = Load(threads)
    try:
        for thread in threads:
            thread.start()
        yield result
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        result.answers += sorted(
            (one for thread in threads for one in thread.answers), key=lambda one: one.received
        )

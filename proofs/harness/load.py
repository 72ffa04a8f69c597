"""Clients that send requests over a persistent connection, and record every response."""

import http.client
import json
import random
import time
from collections.abc import Iterator
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
class Answer:
    write: bool
    title: str
    sent: float
    received: float
    status: int  # 0: the connection broke.
    retry_after: bool
    said: str  # the body of a response that is not successful
    client: int = 0
    id: str = ""  # The id of the created todo.

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
    pause: float = 0.01  # seconds between an answer and the next request


@dataclass(slots=True)
class Load:
    answers: list[Answer] = field(default_factory=list)

    def writes(self) -> list[Answer]:
        return [one for one in self.answers if one.write]

    def reads(self) -> list[Answer]:
        return [one for one in self.answers if not one.write]

    def accepted(self) -> set[str]:
        return {one.title for one in self.writes() if one.status == 201}

    def refused(self) -> set[str]:
        return {one.title for one in self.writes() if one.status not in {0, 201}}

    def unexplained(self) -> list[Answer]:
        """List broken connections and 5xx without Retry-After."""
        return [
            one
            for one in self.answers
            if one.status == 0 or (one.status >= 500 and not one.retry_after)
        ]


class Client(Thread):
    def __init__(self, number: int, port: int, mix: Mix, run: str, stop: Event) -> None:
        super().__init__(daemon=True)
        self.answers: list[Answer] = []
        self._number = number
        self._mix = mix
        self._run = run
        self._stop_wanted = stop
        self._random = random.Random(number)
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._known: list[str] = []

    def run(self) -> None:
        for n in count():
            if self._stop_wanted.wait(self._mix.pause * self._random.uniform(0.5, 1.5)):
                break
            if self._random.random() < self._mix.writes:
                self._ask("POST", PATH, self._title(n))
            else:
                path = f"{PATH}/{self._random.choice(self._known)}" if self._known else PATH
                self._ask("GET", path if self._random.random() < 0.7 else PATH, "")
        self._connection.close()

    def _title(self, n: int) -> str:
        name = f"{self._run} {self._number}-{n}"
        if self._random.random() >= self._mix.slow:
            return name
        return f"{self._random.choice([SLOW_BEFORE, SLOW_WITHIN])} {name}"

    def _ask(self, method: str, path: str, title: str) -> None:
        body = json.dumps({"title": title}).encode() if title else None
        headers = {"Content-Type": "application/json", **authorization()} if title else {}
        status, again, said, made, sent = 0, False, "", "", time.time()
        try:
            self._connection.request(method, path, body, headers)
            response = self._connection.getresponse()
            content = response.read()
            status, again = response.status, "Retry-After" in response.headers
            if status == 201:
                made = json.loads(content)["id"]
                self._known.append(made)
            elif status >= 300:
                said = content.decode()
        except (OSError, http.client.HTTPException) as error:
            said = repr(error)
            self._connection.close()
        about = title, sent, time.time(), status, again, said, self._number, made
        self.answers.append(Answer(bool(title), *about))


@contextmanager
def load(port: int, *, clients: int, mix: Mix) -> Iterator[Load]:
    """Run clients while the block runs. The responses are complete after the block."""
    stop, run, result = Event(), f"load {uuid4().hex[:8]}", Load()
    threads = [Client(number, port, mix, run, stop) for number in range(clients)]
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

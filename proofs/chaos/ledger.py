"""Clients that read and write, and record acknowledged writes, none of which may be lost."""

import http.client
import json
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from select import select
from threading import Event, Thread

from proofs.harness.database import Database
from proofs.harness.issuer import authorization
from proofs.harness.load import PATH

PAUSE = 0.01
FOUND = {200, 201}
EXCUSED = FOUND | {0, 409, 503}


@dataclass(frozen=True, slots=True)
class Answer:
    write: bool
    sent: float
    received: float
    status: int  # 0: the connection broke.
    said: str

    @property
    def bad(self) -> bool:
        return self.status == 0 or self.status >= 500


@dataclass(slots=True)
class Row:
    title: str  # Its last acknowledged version.
    # The connection broke, so the client does not know whether these were written.
    possible: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Ledger:
    answers: list[Answer] = field(default_factory=list)
    rows: dict[str, Row] = field(default_factory=dict)

    def lost(self, database: Database) -> list[str]:
        there = dict(database.rows("SELECT id::text, title FROM todos"))
        return [
            f"{row.title!r} is {there.get(identity)!r}"
            for identity, row in self.rows.items()
            if there.get(identity) not in {row.title, *row.possible}
        ]

    def errors(self) -> list[Answer]:
        """List responses that no fault excuses, above all each 500."""
        return [one for one in self.answers if one.status not in EXCUSED]

    def refused(self) -> int:
        return sum(one.bad for one in self.answers)

    def recovery(self, ended: float) -> float:
        """Return the seconds from the fault's end until every client gets good responses again."""
        moments = [ended] + [one.sent for one in self.answers if one.bad and one.sent > ended]
        for write in (True, False):
            good = [a.received for a in self.answers if a.write is write and a.status in FOUND]
            moments.append(min((at for at in good if at > ended), default=float("inf")))
        return max(moments) - ended

    def slowest(self) -> float:
        return max((one.received - one.sent for one in self.answers), default=0.0)


class Client(Thread):
    def __init__(self, number: int, port: int, stop: Event) -> None:
        super().__init__(daemon=True)
        self.ledger = Ledger()
        self._number = number
        self._over = stop
        self._random = random.Random(number)
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._titles = 0

    def run(self) -> None:
        while not self._over.wait(PAUSE * self._random.uniform(0.5, 1.5)):
            known, what = list(self.ledger.rows), self._random.random()
            if not known or what < 0.2:
                self._create()
            elif what < 0.4:
                self._rename(self._random.choice(known))
            elif what < 0.8:
                self._ask("GET", f"{PATH}/{self._random.choice(known)}")
            else:
                self._ask("GET", f"{PATH}?limit=5")
        self._connection.close()

    def _title(self) -> str:
        self._titles += 1
        return f"chaos {self._number}-{self._titles}"

    def _create(self) -> None:
        title = self._title()
        answer, content = self._ask("POST", PATH, title)
        if answer.status == 201:
            self.ledger.rows[json.loads(content)["id"]] = Row(title)

    def _rename(self, identity: str) -> None:
        title, row = self._title(), self.ledger.rows[identity]
        answer, _ = self._ask("PATCH", f"{PATH}/{identity}", title)
        if answer.status == 200:
            self.ledger.rows[identity] = Row(title)
        elif answer.bad:
            row.possible.add(title)

    def _drop_what_was_closed(self) -> None:
        """Drop a connection that the server closed between two requests, as connection pools do."""
        if self._connection.sock and select([self._connection.sock], [], [], 0)[0]:
            self._connection.close()

    def _ask(self, method: str, path: str, title: str = "") -> tuple[Answer, bytes]:
        body = json.dumps({"title": title}).encode() if title else None
        headers = {"Content-Type": "application/json", **authorization()} if title else {}
        self._drop_what_was_closed()
        status, content, said, sent = 0, b"", "", time.time()
        try:
            self._connection.request(method, path, body, headers)
            response = self._connection.getresponse()
            content = response.read()
            status = response.status
            said = content.decode() if status >= 300 else ""
        except (OSError, http.client.HTTPException) as error:
            said = repr(error)
            self._connection.close()
        answer = Answer(bool(title), sent, time.time(), status, said)
        self.ledger.answers.append(answer)
        return answer, content


@contextmanager
def clients(port: int, number: int) -> Iterator[Ledger]:
    """Run clients while the block runs. The ledger is complete after the block."""
    over, ledger = Event(), Ledger()
    threads = [Client(one, port, over) for one in range(number)]
    try:
        for thread in threads:
            thread.start()
        yield ledger
    finally:
        over.set()
        for thread in threads:
            thread.join()
            ledger.answers += thread.ledger.answers
            ledger.rows |= thread.ledger.rows

"""As many requests are worked on at once as there are connections to the database.

The server has more threads: those wait for slow bodies, or here, and none is overtaken. Without
turns they would race for a connection, and a few would wait ten times as long as the others.
"""

import time
from collections import deque
from collections.abc import Callable
from functools import partial
from threading import Lock
from uuid import UUID

from flask import Flask, Request, g

from chassis.core.errors import UnavailableError
from chassis.http.flow.current_request import present_request
from chassis.http.flow.maintenance_gate import ALWAYS_SERVED

PATIENCE = 2.0
READS = {"GET", "HEAD", "OPTIONS"}


class Turns:
    """A semaphore that serves in the order of arrival.

    Where nobody has given a turn back for as long as one would wait, the database hangs: who comes
    then does not wait, and keeps no thread from those who ask about the service's health.
    """

    def __init__(self, number: int, patience: float) -> None:
        self._free = number
        self.patience = patience
        self.moved_at = time.monotonic()
        self._waiting: deque[Lock] = deque()
        self._lock = Lock()

    def waiting(self) -> int:
        return len(self._waiting)

    def take(self) -> bool:
        with self._lock:
            if self._free:
                self._free -= 1
                self.moved_at = time.monotonic()
                return True
            if time.monotonic() - self.moved_at > self.patience:
                return False
            mine = Lock()
            mine.acquire()
            self._waiting.append(mine)
        if mine.acquire(timeout=self.patience):
            return True
        with self._lock:
            if mine not in self._waiting:  # It was given in this moment.
                return True
            self._waiting.remove(mine)
        return False

    def give_back(self) -> None:
        with self._lock:
            self.moved_at = time.monotonic()
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1


class RowTurns:
    """A few for each row: most of those who change one that is held wait here, with no other."""

    def __init__(self, number: int, patience: float) -> None:
        self._number = number
        self._patience = patience
        self._rows: dict[UUID, tuple[Turns, int]] = {}  # With how many hold or await one.
        self._lock = Lock()

    def take(self, row: UUID) -> bool:
        with self._lock:
            turns, present = self._rows.get(row) or (Turns(self._number, self._patience), 0)
            self._rows[row] = (turns, present + 1)
        if turns.take():
            return True
        self._leave(row)
        return False

    def give_back(self, row: UUID) -> None:
        self._rows[row][0].give_back()
        self._leave(row)

    def _leave(self, row: UUID) -> None:
        with self._lock:
            turns, present = self._rows.pop(row)
            if present > 1:
                self._rows[row] = (turns, present - 1)


class _Queues:
    """A request that changes something has a turn of its row and of its kind before that of all."""

    def __init__(self, number: int) -> None:
        self.every = Turns(number, PATIENCE)
        # What waits for locks leaves a quarter for what needs none.
        self.writing = Turns(number - number // 4, PATIENCE)
        self.rows = RowTurns(max(1, number // 4), PATIENCE)

    def take(self, request: Request, taken: list[Callable[[], None]]) -> bool:
        """Note in `taken` what gives back each turn, also where the next is not had."""
        if request.method not in READS:
            named = [value for value in (request.view_args or {}).values() if type(value) is UUID]
            for row in named[-1:]:
                if not self.rows.take(row):
                    return False
                taken.append(partial(self.rows.give_back, row))
            if not self.writing.take():
                return False
            taken.append(self.writing.give_back)
        if not self.every.take():
            return False
        taken.append(self.every.give_back)
        return True


def register_turns(app: Flask, number: int) -> None:
    """After what reads the body; before what needs the database."""
    queues = _Queues(number)

    @app.before_request
    def take_turn() -> None:
        asked = present_request()
        if asked.routing_exception is None and asked.endpoint not in ALWAYS_SERVED:
            g.turns = []
            if not queues.take(asked, g.turns):
                raise UnavailableError("Too many requests are being answered.")

    @app.teardown_request
    def give_turns_back(_error: BaseException | None) -> None:
        for give_back in reversed(g.pop("turns", ())):
            give_back()

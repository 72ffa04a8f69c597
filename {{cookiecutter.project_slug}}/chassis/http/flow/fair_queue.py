"""As many requests are worked on at once as there are connections to the database.

The server has more threads: those wait for slow bodies, or here, and none is overtaken. Without
turns they would race for a connection, and a few would wait ten times as long as the others.
"""

import time
from collections import deque
from threading import Lock

from flask import Flask, g

from chassis.core.errors import UnavailableError
from chassis.http.flow.current_request import present_request
from chassis.http.flow.maintenance_gate import ALWAYS_SERVED

PATIENCE = 2.0


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


def register_turns(app: Flask, number: int) -> None:
    """After what reads the body; before what needs the database."""
    turns = Turns(number, PATIENCE)

    @app.before_request
    def take_turn() -> None:
        asked = present_request()
        if asked.routing_exception is None and asked.endpoint not in ALWAYS_SERVED:
            if not turns.take():
                raise UnavailableError("Too many requests are being answered.")
            g.has_turn = True

    @app.teardown_request
    def give_turn_back(_error: BaseException | None) -> None:
        if g.pop("has_turn", False):
            turns.give_back()

"""As many requests are worked on at once as there are connections to the database.

The server has more threads: those wait for slow bodies, or here, and none is overtaken. Without a
queue they would race for a connection, and a few would wait ten times as long as the others.
"""

import time
from collections import deque
from threading import Lock

from flask import Request

from chassis.core.errors import UnavailableError
from chassis.core.request_scope import RequestScope
from chassis.http.flow.maintenance_gate import ALWAYS_SERVED
from chassis.http.flow.pipeline import Maker, Route, Step

PATIENCE_SECONDS = 2.0


class FairSemaphore:
    """Slots, given in the order of arrival: a free slot and a waiting thread are never both there.

    Where no slot was released for as long as one would wait, the database hangs: a thread that
    comes then does not wait, and stays free for those who ask about the service's health.
    """

    def __init__(self, slots: int, patience: float) -> None:
        """`patience` is in seconds."""
        self._free = slots
        self.patience = patience
        self.moved_at = time.monotonic()
        self._queue: deque[Lock] = deque()
        self._lock = Lock()

    def waiting(self) -> int:
        return len(self._queue)

    def acquire(self) -> bool:
        with self._lock:
            if self._free:
                self._free -= 1
                self.moved_at = time.monotonic()
                return True
            if time.monotonic() - self.moved_at > self.patience:
                return False
            mine = Lock()
            mine.acquire()
            self._queue.append(mine)
        if mine.acquire(timeout=self.patience):
            return True
        with self._lock:
            if mine not in self._queue:  # It was handed over in this moment.
                return True
            self._queue.remove(mine)
        return False

    def release(self) -> None:
        with self._lock:
            self.moved_at = time.monotonic()
            if self._queue:
                self._queue.popleft().release()
            else:
                self._free += 1


def queue_fairly(slots: int) -> Maker:
    semaphore = FairSemaphore(slots, PATIENCE_SECONDS)

    def acquire(_request: Request, scope: RequestScope) -> None:
        if not semaphore.acquire():
            raise UnavailableError("Too many requests are being answered.")
        scope.has_slot = True

    def release(_request: Request, scope: RequestScope) -> None:
        if scope.has_slot:
            scope.has_slot = False
            semaphore.release()

    def step(route: Route) -> Step | None:
        if not route.is_operation or route.endpoint in ALWAYS_SERVED:
            return None
        return Step(before=acquire, end=release)

    return step

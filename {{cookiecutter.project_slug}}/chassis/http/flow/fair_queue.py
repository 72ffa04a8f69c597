"""A fair queue before the database: it admits as many requests as there are connections.

The server has more threads than connections. They wait for slow bodies, or in this queue in the
order of arrival. Without the queue, threads would race for connections, and some would wait ten
times as long as others.
"""

import time
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass
from functools import partial
from threading import Lock
from uuid import UUID

from flask import Request

from chassis.core.errors import BusyError, UnavailableError
from chassis.core.request_scope import RequestScope
from chassis.http.flow.maintenance_gate import ALWAYS_SERVED
from chassis.http.flow.pipeline import Maker, Route, Step
from chassis.http.input.streamed_body import waits_elsewhere
from chassis.http.output.etags import READS

PATIENCE_SECONDS = 2.0


class FairSemaphore:
    """A semaphore that gives its slots in the order of arrival.

    Invariant: while a thread waits, no slot is free. If none was acquired or released for
    `patience` seconds, the database hangs. New threads are then rejected at once, so that threads
    are left for health checks.
    """

    def __init__(self, slots: int, patience: float) -> None:
        """`patience` is in seconds."""
        self._free = slots
        self.patience = patience
        self.moved_at = time.monotonic()  # Counts while no slot is free.
        self._queue: deque[Lock] = deque()
        self._lock = Lock()

    def waiting(self) -> int:
        return len(self._queue)

    def acquire(self) -> bool:
        with self._lock:
            if self._free:
                self._free -= 1
                if not self._free:
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
            if mine not in self._queue:  # `release` has just handed its slot to this thread.
                return True
            self._queue.remove(mine)
        return False

    def release(self) -> None:
        with self._lock:
            if self._queue:
                self.moved_at = time.monotonic()
                self._queue.popleft().release()
            else:
                self._free += 1


@dataclass(slots=True)
class _Row:
    present: int = 0  # Requests that hold or await a slot.
    queue: FairSemaphore | None = None  # None until all slots are taken.


class RowSemaphores:
    """A few slots for each row or key, so that requests for a locked row do not take all slots."""

    def __init__(self, slots: int, patience: float) -> None:
        self._slots = slots
        self._patience = patience
        self._rows: dict[Hashable, _Row] = {}
        self._lock = Lock()

    def acquire(self, row: Hashable) -> bool:
        with self._lock:
            entry = self._rows.get(row)
            if entry is None:
                entry = self._rows[row] = _Row()
            entry.present += 1
            if entry.queue is None:
                if entry.present == self._slots:  # Its clock begins when all slots are taken.
                    entry.queue = FairSemaphore(0, self._patience)
                return True
        if entry.queue.acquire():
            return True
        self._leave(row)
        return False

    def release(self, row: Hashable) -> None:
        if queue := self._leave(row):
            queue.release()

    def _leave(self, row: Hashable) -> FairSemaphore | None:
        with self._lock:
            entry = self._rows[row]
            entry.present -= 1
            if not entry.present:
                del self._rows[row]
            return entry.queue


class _Queues:
    """The queues of a process. A write acquires three slots: of its row, of writes, of all."""

    def __init__(self, slots: int) -> None:
        self.every = FairSemaphore(slots, PATIENCE_SECONDS)
        # A quarter is kept for reads: writes may all wait for locks.
        self.writing = FairSemaphore(slots - slots // 4, PATIENCE_SECONDS)
        self.rows = RowSemaphores(max(1, slots // 4), PATIENCE_SECONDS)
        # Separate slots, so that calls of a slow other service do not delay other requests.
        self.elsewhere = FairSemaphore(slots, PATIENCE_SECONDS)

    def read(self, _request: Request, scope: RequestScope) -> None:
        _require(self.every.acquire())
        scope.slots.append(self.every.release)

    def wait(self, _request: Request, scope: RequestScope) -> None:
        _require(self.elsewhere.acquire())
        scope.slots.append(self.elsewhere.release)

    def write(self, request: Request, scope: RequestScope) -> None:
        """Note each slot at once, so that it is released even if the next one is not acquired."""
        ids = [value.int for value in (request.view_args or {}).values() if type(value) is UUID]
        for row in ids[-1:]:
            _require(self.rows.acquire(row))
            scope.slots.append(partial(self.rows.release, row))
        if key := request.environ.get("HTTP_IDEMPOTENCY_KEY"):
            if not self.rows.acquire(key):
                raise BusyError("Requests with this key are being served.")
            scope.slots.append(partial(self.rows.release, key))
        _require(self.writing.acquire())
        scope.slots.append(self.writing.release)
        self.read(request, scope)


def queue_fairly(slots: int) -> Maker:
    queues = _Queues(slots)

    def step(route: Route) -> Step | None:
        if not route.is_operation or route.endpoint in ALWAYS_SERVED:
            return None
        if waits_elsewhere(route.view):
            return Step(before=queues.wait, end=_release)
        return Step(before=queues.read if route.method in READS else queues.write, end=_release)

    return step


def _require(acquired: bool) -> None:  # noqa: FBT001
    if not acquired:
        raise UnavailableError("Too many requests are being answered.")


def _release(_request: Request, scope: RequestScope) -> None:
    while scope.slots:
        scope.slots.pop()()

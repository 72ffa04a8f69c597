"""Read-your-writes, where a replica answers reads that may be a little behind.

An answer to what wrote says in a header how far the log was then; a request that brings it back
sees all up to there, whichever process or replica answers. Who does not is remembered, by each
process for itself.
"""

import re
from threading import Lock

from flask import Request, Response

from chassis.core.read_positions import ONLY_PRIMARY, Positions
from chassis.core.request_scope import RequestScope
from chassis.http.access.rate_limits import caller
from chassis.http.flow.pipeline import Maker, Route, Step
from chassis.http.input.parser import InvalidRequestError
from chassis.http.output.etags import READS

READ_AFTER_HEADER = "X-Read-After"
POSITION = re.compile(r"[0-9]{1,19}")
CALLERS = 5000


class LastWrites:
    """Of the callers that wrote last. Who is not among them needs what the forgotten ones need."""

    def __init__(self, callers: int) -> None:
        self._most = callers
        self._positions: dict[str, int] = {}  # The latest writer is the last.
        self._forgotten = 0
        self._lock = Lock()

    def of(self, caller: str) -> int:
        with self._lock:
            return self._positions.get(caller, self._forgotten)

    def note(self, caller: str, position: int) -> None:
        with self._lock:
            # Of two requests at once, either may be told of first.
            self._positions[caller] = max(position, self._positions.pop(caller, 0))
            if len(self._positions) > self._most:
                oldest = self._positions.pop(next(iter(self._positions)))
                if oldest < ONLY_PRIMARY:
                    self._forgotten = max(oldest, self._forgotten)


def read_own_writes(*, replica: bool) -> Maker:
    last_writes = LastWrites(CALLERS)

    def note_needed(request: Request, scope: RequestScope) -> None:
        sent = _sent_position(request)
        # What may write decides by what it reads, and reads the newest.
        reads = request.method in READS
        needed = max(sent, last_writes.of(caller(request, scope))) if reads else ONLY_PRIMARY
        scope.positions = Positions(needed)

    def send_written(response: Response, request: Request, scope: RequestScope) -> None:
        if scope.positions and (position := scope.positions.written):
            last_writes.note(caller(request, scope), position)
            response.headers[READ_AFTER_HEADER] = str(position)

    def step(route: Route) -> Step | None:
        reads = replica and route.endpoint is not None
        return Step(before=note_needed, after=send_written) if reads else None

    return step


def _sent_position(request: Request) -> int:
    sent = request.headers.get(READ_AFTER_HEADER, "0")
    if not POSITION.fullmatch(sent):
        what = {"parameter": READ_AFTER_HEADER, "detail": "Not a position.", "code": "position"}
        raise InvalidRequestError([what], "invalid-header")
    return int(sent)

"""Read-your-writes, where a replica answers reads and may lag behind the primary.

The response to a write has a header with its position in the primary's log. A request that sends
the header back sees everything up to that position, whichever process or replica answers. For
callers that do not send it, each process remembers their last writes itself.
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
    """The last write of each recent caller; for others, the newest write that was forgotten."""

    def __init__(self, callers: int) -> None:
        self._most = callers
        self._positions: dict[str, int] = {}  # In the order of writing, the newest last.
        self._forgotten = 0
        self._lock = Lock()

    def of(self, caller: str) -> int:
        with self._lock:
            return self._positions.get(caller, self._forgotten)

    def note(self, caller: str, position: int) -> None:
        with self._lock:
            # Two requests at once may arrive here in either order.
            self._positions[caller] = max(position, self._positions.pop(caller, 0))
            if len(self._positions) > self._most:
                oldest = self._positions.pop(next(iter(self._positions)))
                if oldest < ONLY_PRIMARY:
                    self._forgotten = max(oldest, self._forgotten)


def read_own_writes(*, replica: bool) -> Maker:
    last_writes = LastWrites(CALLERS)

    def note_needed(request: Request, scope: RequestScope) -> None:
        sent = _sent_position(request)
        # A request that may write reads from the primary.
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
        what = {
            "parameter": READ_AFTER_HEADER,
            "detail": "Must be a number from an earlier response.",
            "code": "position",
        }
        raise InvalidRequestError([what], "invalid-header")
    return int(sent)

"""Read-your-writes, where a replica answers reads that may be a little behind.

An answer to what wrote says in a header how far the log was then; a request that brings it back
sees all up to there, whichever process or replica answers. Who does not is remembered, by each
process for itself.
"""

import re
from threading import Lock

from flask import Flask, Response, request

from chassis.core.read_positions import ONLY_PRIMARY, Positions, positions
from chassis.http.access.rate_limits import caller
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


def register_read_after(app: Flask) -> None:
    """After it is known who asks."""
    last_writes = LastWrites(CALLERS)

    @app.before_request
    def note_needed() -> None:
        if request.routing_exception is None:
            sent = _sent_position()
            # What may write decides by what it reads, and reads the newest.
            reads = request.method in READS
            positions.set(Positions(max(sent, last_writes.of(caller())) if reads else ONLY_PRIMARY))

    @app.after_request
    def tell_written(response: Response) -> Response:
        if (present := positions.get()) and present.written:
            last_writes.note(caller(), present.written)
            response.headers[READ_AFTER_HEADER] = str(present.written)
        return response

    @app.teardown_request
    def forget(_error: BaseException | None) -> None:
        positions.set(None)


def _sent_position() -> int:
    sent = request.headers.get(READ_AFTER_HEADER, "0")
    if not POSITION.fullmatch(sent):
        what = {"parameter": READ_AFTER_HEADER, "detail": "Not a position.", "code": "position"}
        raise InvalidRequestError([what], "invalid-header")
    return int(sent)

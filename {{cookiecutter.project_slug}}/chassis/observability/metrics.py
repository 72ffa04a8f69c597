"""How many requests, how they ended and how long they took: by route, never by URL."""

import os
import sys
from functools import cache
from itertools import count
from pathlib import Path
from typing import IO

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    generate_latest,
    values,
)
from prometheus_client.multiprocess import MultiProcessCollector

from chassis.http.flow.request_record import Answered

# Where the processes of a server add up what they count; empty where there is one.
DIRECTORY = os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")
UNMATCHED = "unmatched"
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15)


class Seat:
    """The lowest number that no living process has.

    Who comes after a process that ended goes on in its files: nothing is lost, and there are never
    more files than there were processes at a time.
    """

    def __init__(self) -> None:
        self._pid = 0
        self._number = ""
        self._file: IO[str] | None = None

    def __call__(self) -> str:
        if self._pid != os.getpid():
            self._take()
        return self._number

    def _take(self) -> None:
        if sys.platform == "win32":
            self._number = str(os.getpid())
        else:
            from fcntl import LOCK_EX, LOCK_NB, flock  # noqa: PLC0415  # Not there on Windows.

            for number in count():
                file = open(Path(DIRECTORY, f"{number}.seat"), "w")  # noqa: PTH123, SIM115
                try:
                    flock(file, LOCK_EX | LOCK_NB)
                except BlockingIOError:
                    file.close()
                else:
                    self._file, self._number = file, str(number)  # Kept for as long as it lives.
                    break
        self._pid = os.getpid()


if DIRECTORY:
    values.ValueClass = values.MultiProcessValue(Seat())  # type: ignore[no-untyped-call]

disable_created_metrics()  # type: ignore[no-untyped-call]  # Nobody asks for them.
REGISTRY = CollectorRegistry()
REQUESTS = Counter(
    "http_requests", "Requests answered.", ["method", "route", "status"], registry=REGISTRY
)
DURATIONS = Histogram(
    "http_request_duration_seconds",
    "Seconds until the answer was made.",
    ["method", "route"],
    registry=REGISTRY,
    buckets=BUCKETS,
)
LINES_DROPPED = Counter(
    "log_lines_dropped", "Lines of the log that had no room: nobody read them.", registry=REGISTRY
)


@cache  # As many as there are routes, methods and kinds of status: few.
def _children(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    return REQUESTS.labels(method, route, status), DURATIONS.labels(method, route)


def count_request(answered: Answered) -> None:
    requests, durations = _children(answered.method, answered.route or UNMATCHED, answered.status)
    requests.inc()
    durations.observe(answered.seconds)


def exposition() -> bytes:
    """Of all processes, in the text format of Prometheus."""
    if not DIRECTORY:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry, DIRECTORY)  # type: ignore[no-untyped-call]
    return generate_latest(registry)

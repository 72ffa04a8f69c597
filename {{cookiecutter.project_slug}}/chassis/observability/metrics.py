"""Counts requests and their durations, by route and never by URL."""

import os
import sys
from functools import cache
from itertools import count
from pathlib import Path
from typing import IO, Any

from flask import Flask
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    generate_latest,
    values,
)
from prometheus_client.multiprocess import MultiProcessCollector

from chassis.http.flow.request_record import RequestRecord

UNMATCHED = "unmatched"
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15)


class Seat:
    """The lowest number that no living process has; it names the files that a process counts in.

    A new process continues the files of an ended one. So no count is lost, and there are never more
    files than there were processes at a time.
    """

    def __init__(self, directory: str) -> None:
        self._directory = directory
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
            from fcntl import LOCK_EX, LOCK_NB, flock  # noqa: PLC0415  # Windows has no fcntl.

            for number in count():
                file = open(Path(self._directory, f"{number}.seat"), "w")  # noqa: PTH123, SIM115
                try:
                    flock(file, LOCK_EX | LOCK_NB)
                except BlockingIOError:
                    file.close()
                else:
                    self._file, self._number = file, str(number)  # The open file holds the lock.
                    break
        self._pid = os.getpid()


class RequestMetrics:
    def __init__(self, directory: str) -> None:
        """`directory` has the files of all processes of a server; "" for a single process."""
        disable_created_metrics()  # type: ignore[no-untyped-call]  # The `_created` series are not used.
        values.ValueClass = _value_class(directory)
        self._directory = directory
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "http_requests",
            "Requests answered.",
            ["method", "route", "status"],
            registry=self._registry,
        )
        self._durations = Histogram(
            "http_request_duration_seconds",
            "Seconds until the answer was made.",
            ["method", "route"],
            registry=self._registry,
            buckets=BUCKETS,
        )
        self.lines_dropped = Counter(
            "log_lines_dropped",
            "Log lines that were not written: a slow reader, or a full disk.",
            registry=self._registry,
        )
        # One per route, method and status: few.
        self._children = cache(self._labelled)

    def count(self, record: RequestRecord) -> None:
        requests, durations = self._children(record.method, record.route, record.status)
        requests.inc()
        durations.observe(record.seconds)

    def exposition(self) -> bytes:
        """The metrics of all processes, in the text format of Prometheus."""
        if not self._directory:
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry, self._directory)  # type: ignore[no-untyped-call]
        return generate_latest(registry)

    def _labelled(self, method: str, route: str | None, status: int) -> tuple[Counter, Histogram]:
        route = route or UNMATCHED
        labels = self._requests.labels(method, route, status)
        return labels, self._durations.labels(method, route)


@cache
def _value_class(directory: str) -> Any:
    if not directory:
        return values.MutexValue
    return values.MultiProcessValue(Seat(directory))  # type: ignore[no-untyped-call]


def configure_metrics(app: Flask) -> RequestMetrics:
    """Set up the metrics. The server has set PROMETHEUS_MULTIPROC_DIR before."""
    metrics = RequestMetrics(os.environ.get("PROMETHEUS_MULTIPROC_DIR", ""))
    app.extensions["metrics"] = metrics
    return metrics

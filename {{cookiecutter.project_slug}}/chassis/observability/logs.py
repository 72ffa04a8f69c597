"""Writes each event as a line to standard error: JSON in production, text in development."""

import logging
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from select import select
from typing import Any, BinaryIO

import structlog
from structlog.stdlib import ProcessorFormatter

from chassis.http.flow.request_record import RequestRecord
from chassis.observability import log_events
from chassis.observability.line_buffer import LineBuffer, Outlet
from chassis.observability.log_events import Render

PATIENCE_SECONDS = 1.0
stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)


class LineHandler(logging.Handler):
    """Writes each line with one write(2), so that lines of threads and processes never mix.

    With `count_dropped`, no thread waits for the reader: chassis/observability/line_buffer.py.
    """

    def __init__(
        self,
        stream: BinaryIO,
        render: Render,
        count_dropped: Callable[[], None] | None = None,
    ) -> None:
        super().__init__()
        self.stream = stream
        self.render = render
        self._outlet = Outlet(stream, count_dropped or int)
        self._buffer = (
            LineBuffer(self._outlet, self._resumed, count_dropped) if count_dropped else None
        )

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self.write(self.format(record))
        except Exception as error:  # The arguments of the call do not fit its message.
            place = f"{record.pathname}:{record.lineno}"
            self.write_event(
                "error", "A message cannot be logged.", at=place, why=type(error).__name__
            )

    def write_event(self, level: str, event: str, **more: Any) -> None:
        self.write(self._line(level, event, **more))

    def write(self, line: str) -> None:
        if self._buffer:
            self._buffer.put(line.encode() + b"\n")
            return
        self.acquire()
        try:
            if _is_ready(self.stream):
                self._outlet.write(line.encode() + b"\n")
        finally:
            self.release()

    def flush(self) -> None:
        if self._buffer:
            self._buffer.flush()

    def close(self) -> None:
        if self._buffer:
            self._buffer.close()
        self._outlet.close()
        super().close()

    def _line(self, level: str, event: str, **more: Any) -> str:
        return self.render(None, "", stamp(None, "", {"level": level, "event": event, **more}))

    def _resumed(self, dropped: int) -> bytes:
        line = self._line(
            "warning", "The log was not read in time: lines are missing.", dropped=dropped
        )
        return line.encode() + b"\n"


def write_lines(
    processors: Sequence[Any],
    *,
    level: str,
    development: bool,
    count_dropped: Callable[[], None] | None = None,
    to_json: Render = log_events.to_json,
) -> LineHandler:
    """Write the events of structlog's loggers and of the standard library's to standard error.

    `processors` are structlog's: each gets an event and returns it for the next. In production,
    `to_json` makes a line of each event, and of each request.
    """
    stream = _stderr()
    render = log_events.console(stream) if development else to_json
    handler = LineHandler(stream, render, count_dropped)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=processors,
            processors=[ProcessorFormatter.remove_processors_meta, handler.render],
        )
    )
    _configure_structlog(processors)
    logging.basicConfig(handlers=[handler], level=level, force=True)
    logging.captureWarnings(not development)
    # Alembic logs a line each time it reads the revision.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    return handler


def _configure_structlog(processors: Sequence[Any]) -> None:
    structlog.configure(
        [structlog.stdlib.filter_by_level, *processors, ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def _is_ready(stream: BinaryIO) -> bool:
    """Whether the reader accepts something within a second; a file always does."""
    with suppress(OSError, ValueError):
        return bool(select([], [stream], [], PATIENCE_SECONDS)[1])
    return True


def request_log(handler: LineHandler, level: str) -> Callable[[RequestRecord], None]:
    """Write the line of each request straight to the stream: a logger costs several times more."""
    if logging.getLevelName(level) > logging.INFO:
        return lambda _: None

    def write_request(record: RequestRecord) -> None:
        handler.write_event(
            "info",
            "request",
            request_id=record.request_id,
            method=record.method,
            route=record.route,
            status=record.status,
            duration_ms=round(record.seconds * 1000, 2),
            subject=record.subject,
        )

    return write_request


def _stderr() -> BinaryIO:
    """Standard error, buffered whatever PYTHONUNBUFFERED says; in tests, its replacement."""
    if sys.stderr is None:  # Closed by `2>&-`.
        return open(os.devnull, "wb")  # noqa: PTH123
    try:
        return open(sys.stderr.fileno(), "wb", closefd=False)  # Never closed.
    except OSError:
        return sys.stderr.buffer

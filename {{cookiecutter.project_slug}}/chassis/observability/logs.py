"""One line an event, to standard error: JSON in production, coloured in development."""

import logging
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, BinaryIO

import structlog
from structlog.stdlib import ProcessorFormatter

from chassis.http.flow.request_record import Answered
from chassis.observability import log_events
from chassis.observability.log_events import Render
from chassis.settings import DEVELOPMENT, Settings

stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)


class LineHandler(logging.Handler):
    """Each line is one call of write(2), so that those of threads and processes never mix."""

    def __init__(self, stream: BinaryIO, render: Render) -> None:
        super().__init__()
        self.stream = stream
        self.render = render

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self.write(self.format(record))
        except Exception as error:  # Of a call that does not fit its message.
            place = f"{record.pathname}:{record.lineno}"
            self.write_event("error", "This cannot be logged.", at=place, why=type(error).__name__)

    def write_event(self, level: str, event: str, **more: Any) -> None:
        self.write(self.render(None, "", stamp(None, "", {"level": level, "event": event, **more})))

    def write(self, line: str) -> None:
        self.acquire()
        try:
            # Who cannot log still answers.
            with suppress(OSError, ValueError):
                self.stream.write(line.encode() + b"\n")
                self.stream.flush()
        finally:
            self.release()


def configure_logging(config: Settings) -> LineHandler:
    """Loggers of the standard library, which others use, go the same way as structlog's."""
    processors: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        stamp,
        log_events.add_request_id,
        log_events.render_exception,
        log_events.clean,
    ]
    stream = _stderr()
    development = config.environment == DEVELOPMENT
    handler = LineHandler(stream, log_events.console(stream) if development else log_events.to_json)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=processors,
            processors=[ProcessorFormatter.remove_processors_meta, handler.render],
        )
    )
    structlog.configure(
        [structlog.stdlib.filter_by_level, *processors, ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    logging.basicConfig(handlers=[handler], level=config.log_level, force=True)
    logging.captureWarnings(not development)
    # It says at each look at the revision with what it looks.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    return handler


def request_log(handler: LineHandler, level: str) -> Callable[[Answered], None]:
    """One line a request, straight to the stream: a logger costs several times as much."""
    if logging.getLevelName(level) > logging.INFO:
        return lambda _: None

    def write_request(answered: Answered) -> None:
        handler.write_event(
            "info",
            "request",
            request_id=answered.request_id,
            method=answered.method,
            route=answered.route,
            status=answered.status,
            duration_ms=round(answered.seconds * 1000, 2),
            subject=answered.subject,
        )

    return write_request


def _stderr() -> BinaryIO:
    """Standard error, buffered whatever PYTHONUNBUFFERED says; or what a test put in its place."""
    try:
        return open(sys.stderr.fileno(), "wb", closefd=False)  # For ever.
    except OSError:
        return sys.stderr.buffer

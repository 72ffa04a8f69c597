"""The steps from an event to a log line: JSON in production, coloured text in development."""

from collections.abc import Callable

from structlog.stdlib import PositionalArgumentsFormatter, add_log_level, add_logger_name

from chassis.observability import log_events, logs
from chassis.settings import DEVELOPMENT
from src.config import Config

PROCESSORS = [
    add_log_level,
    add_logger_name,
    PositionalArgumentsFormatter(),
    logs.stamp,
    log_events.add_request_id,
    log_events.render_exception,
    log_events.clean,  # Last: it removes every value that a caller sent.
]


def configure_logging(
    config: Config, count_dropped: Callable[[], None] | None = None
) -> logs.LineHandler:
    """With `count_dropped`, a thread writes the lines; lines beyond its buffer are counted."""
    return logs.write_lines(
        PROCESSORS,
        level=config.log_level,
        development=config.environment == DEVELOPMENT,
        count_dropped=count_dropped,
    )

"""What an event passes on its way to a line: JSON in production, coloured in development."""

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
    log_events.clean,  # The last one: no value that a caller sent gets past it.
]


def configure_logging(
    config: Config, count_dropped: Callable[[], None] | None = None
) -> logs.LineHandler:
    """With `count_dropped` no request waits for whoever reads the lines."""
    return logs.write_lines(
        PROCESSORS,
        level=config.log_level,
        development=config.environment == DEVELOPMENT,
        count_dropped=count_dropped,
    )

from logging.config import dictConfig

from src.config import Config


def configure_logging(config: Config) -> None:
    """Log to standard error, where whatever runs the process collects it."""
    dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"handlers": ["stderr"], "level": config.log_level},
            # It says at each look at the revision with what it looks.
            "loggers": {"alembic": {"level": "WARNING"}},
        }
    )

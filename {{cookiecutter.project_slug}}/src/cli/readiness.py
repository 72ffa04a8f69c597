from collections.abc import Iterator
from contextlib import contextmanager

import click
from sqlalchemy import text

from src.config import Config, ConfigError
from src.dependency_container import Container
from src.domain.exceptions import UnavailableError
from src.infrastructure.databases.errors import first_line

ALLOWED = text("""
    SELECT current_setting('max_connections')::int
        - current_setting('superuser_reserved_connections')::int
""")


def require_ready_database(config: Config) -> None:
    """Raise ClickException, with what to do, unless the service could serve from it now.

    Raise ConfigError if PostgreSQL does not allow as many connections as the server may open.
    """
    with _container(config) as container:
        try:
            container.health_service().readiness()
        except UnavailableError as error:
            cause = getattr(error.__cause__, "orig", None)
            reason = f" ({first_line(cause)})" if cause else ""
            advice = "Check DATABASE_URL, then run `python manage.py db upgrade`."
            raise click.ClickException(f"{error}{reason} {advice}") from error
        needed = config.workers * (2 * config.threads + 2)
        with container.engines().watch.connect() as connection:
            allowed = connection.execute(ALLOWED).scalar_one()
    if needed > allowed:
        raise ConfigError(
            f"WORKERS={config.workers} and THREADS={config.threads} may open {needed} connections, "
            f"and PostgreSQL allows {allowed}. Lower them, or raise its max_connections."
        )


def schema_is_behind(config: Config) -> bool:
    with _container(config) as container:
        return container.database_probe().schema_state().behind


@contextmanager
def _container(config: Config) -> Iterator[Container]:
    container = Container(config=config)
    try:
        yield container
    finally:
        container.engines().dispose()

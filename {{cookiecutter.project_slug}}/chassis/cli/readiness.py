import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from psycopg2 import errorcodes
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from chassis.core.errors import UnavailableError
from chassis.postgres.error_translation import first_line, sqlstate
from chassis.project import current_project
from chassis.settings import ConfigError, Settings

ALLOWED = text("""
    SELECT current_setting('max_connections')::int
        - current_setting('superuser_reserved_connections')::int
""")


def require_database() -> None:
    """Raise ConfigError if the project uses no database."""
    if not current_project().uses_database:
        raise ConfigError(
            "This project has no database: the container in "
            f"{current_project().package}/dependency_container.py has no `unit_of_work`."
        )


def require_ready_database(config: Settings) -> None:
    """Raise ClickException, with what to do, unless the service could serve now.

    Raise ConfigError if PostgreSQL does not allow as many connections as the server may open. A
    project that uses no database needs none.
    """
    if not current_project().uses_database:
        return
    with _container(config) as container:
        logging.disable(logging.WARNING)  # What is in the way becomes the command's one sentence.
        try:
            container.health_service().readiness()
        except UnavailableError as error:
            raise _in_the_way(error) from error
        finally:
            logging.disable(logging.NOTSET)
        needed = config.workers * (2 * config.threads + 2)
        with container.engines().watch.connect() as connection:
            allowed = connection.execute(ALLOWED).scalar_one()
    if needed > allowed:
        raise ConfigError(
            f"WORKERS={config.workers} and THREADS={config.threads} may open {needed} connections, "
            f"and PostgreSQL allows {allowed}. Lower WORKERS or THREADS, or raise PostgreSQL's "
            "max_connections."
        )


def _in_the_way(error: UnavailableError) -> Exception:
    """The error of the command: what is in the way, and what to do."""
    cause = error.__cause__
    reason = f" ({first_line(cause.orig)})" if isinstance(cause, DBAPIError) else ""
    if isinstance(cause, DBAPIError) and sqlstate(cause) == errorcodes.INSUFFICIENT_PRIVILEGE:
        advice = "scripts/roles.sql gives the role in DATABASE_URL its rights."
        return ConfigError(f"{error}{reason} {advice}")
    advice = "Check DATABASE_URL, then run `python manage.py db upgrade`."
    return click.ClickException(f"{error}{reason} {advice}")


def needs_upgrade(config: Settings) -> bool:
    """Whether `db upgrade` would apply a revision, even a contract one, or the schema `ops`."""
    with _container(config) as container:
        revisions = [one.revision for one in container.revisions()]
        try:
            current = container.database_probe().schema_state().current
        except UnavailableError:
            return True
    # An unknown revision belongs to a newer code, or to another branch.
    return current != (revisions or [None])[-1] and current in {None, *revisions}


@contextmanager
def _container(config: Settings) -> Iterator[Any]:
    container = current_project().container_type(config=config)
    try:
        yield container
    finally:
        container.engines().dispose()

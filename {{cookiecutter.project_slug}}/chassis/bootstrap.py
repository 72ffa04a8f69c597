import os
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from chassis.core.errors import CodeError
from chassis.postgres.embedded import start_embedded_postgres
from chassis.project import current_project
from chassis.settings import ConfigError, Kind, load_config

App = TypeVar("App")


def load_config_with_database(kind: type[Kind], *, signs: bool = True) -> Kind:
    """The settings. In development without DATABASE_URL, start the embedded PostgreSQL.

    Raise ConfigError, or EmbeddedPostgresError if PostgreSQL does not start.
    """
    config = load_config(kind, signs=signs)
    if config.database_url:
        return config
    url = start_embedded_postgres(current_project().embedded_data)
    # Child processes use this database instead of starting one themselves.
    os.environ["DATABASE_URL"] = url
    return replace(config, database_url=url)


def build(create_app: Callable[[Kind], App], kind: type[Kind]) -> App:
    """The application of a server process. A mistake of the team's ends it with a sentence."""
    try:
        return create_app(load_config_with_database(kind))
    except (CodeError, ConfigError) as error:
        raise SystemExit(f"Error: {error}") from None

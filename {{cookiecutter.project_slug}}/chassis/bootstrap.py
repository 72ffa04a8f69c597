import os
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from chassis.core.errors import CodeError
from chassis.postgres.embedded import start_embedded_postgres
from chassis.project import current_project
from chassis.settings import ConfigError, Kind, Settings, load_config

if TYPE_CHECKING:
    from flask import Flask


def load_config_with_database(kind: type[Kind], *, signs: bool = True) -> Kind:
    """The settings. In development without DATABASE_URL, start the embedded PostgreSQL.

    A project that uses no database gets its settings only. Raise ConfigError, or
    EmbeddedPostgresError if PostgreSQL does not start.
    """
    config = load_config(kind, signs=signs)
    if config.database_url or not current_project().uses_database:
        return config
    url = start_embedded_postgres(current_project().embedded_data)
    # Child processes use this database instead of starting one themselves.
    os.environ["DATABASE_URL"] = url
    return replace(config, database_url=url)


def build(create_app: Callable[[Kind], "Flask"], kind: type[Kind]) -> "Flask":
    """Build the application of a server process. Exit with a sentence for a team's mistake."""
    try:
        config = load_config_with_database(kind)
        app = create_app(config)
        _require_key(app, config)
    except (CodeError, ConfigError) as error:
        raise SystemExit(f"Error: {error}") from None
    return app


def _require_key(app: "Flask", config: Settings) -> None:
    """Raise ConfigError if SECRET_KEY is missing and a list has to sign its cursors."""
    # Imported late, because commands that only read settings need no Flask.
    from chassis.openapi.description import signs_cursors  # noqa: PLC0415

    if not config.secret_key and signs_cursors(app):
        raise ConfigError("Not set: SECRET_KEY. The cursors of lists need a signature.")

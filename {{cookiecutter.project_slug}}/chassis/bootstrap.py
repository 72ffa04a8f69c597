import os
from dataclasses import replace

from chassis.postgres.embedded import start_embedded_postgres
from chassis.project import current_project
from chassis.settings import Kind, load_config


def load_config_with_database(kind: type[Kind], *, signs: bool = True) -> Kind:
    """The settings; in development without DATABASE_URL, an embedded PostgreSQL is started.

    Raise ConfigError, or EmbeddedPostgresError if that does not start.
    """
    config = load_config(kind, signs=signs)
    if config.database_url:
        return config
    url = start_embedded_postgres(current_project().embedded_data)
    # The server processes of this one use its database instead of holding it themselves.
    os.environ["DATABASE_URL"] = url
    return replace(config, database_url=url)

import os
from dataclasses import replace

from src.config import ROOT, Config, load_config
from src.infrastructure.databases.embedded import start_embedded_postgres

EMBEDDED_DATA = ROOT / ".postgres"


def load_config_with_database(*, signs: bool = True) -> Config:
    """The settings; in development without DATABASE_URL, an embedded PostgreSQL is started.

    Raise ConfigError, or EmbeddedPostgresError if that does not start.
    """
    config = load_config(signs=signs)
    if config.database_url:
        return config
    url = start_embedded_postgres(EMBEDDED_DATA)
    # The server processes of this one use its database instead of holding it themselves.
    os.environ["DATABASE_URL"] = url
    return replace(config, database_url=url)

"""Alembic's environment: the connection comes from src/infrastructure/databases/migrations.py."""

from alembic import context

import src.infrastructure.models  # noqa: F401  # Fills the metadata.
from src.infrastructure.databases.metadata import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    compare_server_default=True,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()

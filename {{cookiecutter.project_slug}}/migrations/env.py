"""Alembic's environment; chassis/migrations gives it the connection and the options."""

from alembic import context
from alembic.util import CommandError

attributes = context.config.attributes
if not attributes:
    raise CommandError("Migrations here are run by `python manage.py db`, not by alembic itself.")

# Imported after the check: `alembic` itself does not find the project's modules.
import src.infrastructure.models  # noqa: E402, F401  # Fills the metadata.
from src.infrastructure.databases.metadata import metadata  # noqa: E402

context.configure(
    connection=attributes.get("connection"),
    dialect_name="postgresql",
    target_metadata=metadata,
    compare_server_default=True,
    transaction_per_migration=attributes.get("transaction_per_migration", True),
    on_version_apply=attributes.get("on_version_apply"),
)
with context.begin_transaction():
    context.run_migrations()

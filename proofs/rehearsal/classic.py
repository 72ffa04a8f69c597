"""The classic recipe: each request reads a maintenance flag, and plain Alembic migrates.

The migrating process sets the flag before the migration and clears it afterwards. While the flag is
set, the recipe rejects reads, too.
"""

from proofs.harness.database import Database
from proofs.harness.processes import Running
from proofs.harness.proof_revision import Revision
from proofs.harness.testbed import Project, Testbed

FLAG_TABLE = "CREATE TABLE maintenance_flag AS SELECT false AS active"
GATE = '''"""The flag, read before each request."""

from flask import Flask, Response, request
from sqlalchemy import text


def register_flag(app: Flask) -> None:
    @app.before_request
    def refuse() -> Response | None:
        engines = app.extensions["container"].engines()
        with engines.read.connect() as connection:
            active = connection.execute(text("SELECT active FROM maintenance_flag")).scalar()
        if active and not request.path.startswith("/health"):
            return Response("Under maintenance.", 503)
        return None
'''
CREATE_APP = "src/create_app.py"
ENVIRONMENT = """
import os

from alembic import context
from sqlalchemy import NullPool, create_engine

with create_engine(os.environ["DATABASE_URL"], poolclass=NullPool).connect() as connection:
    context.configure(connection=connection, transaction_per_migration={each})
    with context.begin_transaction():
        context.run_migrations()
"""
UPGRADE = """
import os
import sys

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text

engine = create_engine(os.environ["DATABASE_URL"])

def flag(active):
    with engine.begin() as connection:
        connection.execute(text("UPDATE maintenance_flag SET active = :a"), {"a": active})

flag(True)
try:
    command.upgrade(Config(toml_file="pyproject.toml"), "head")
finally:
    flag(False)
"""


def give_flag(database: Database) -> None:
    database.rows(FLAG_TABLE)


def serving_with_flag(project: Project) -> Project:
    (project.path / "src/flag.py").write_text(GATE)
    project.patch(
        CREATE_APP,
        ("    app.pass_through(\n", "    register_flag(app)\n    app.pass_through(\n"),
        ("from src.error_handler", "from src.flag import register_flag\nfrom src.error_handler"),
    )
    return project


def with_plain_alembic(
    testbed: Testbed, name: str, revisions: list[Revision], *, each: bool = True
) -> Project:
    """Use plain Alembic as migrator, with one transaction for `each` revision or for all."""
    project = testbed.variant(name, revisions, plain=True)
    (project.path / "migrations/env.py").write_text(ENVIRONMENT.format(each=each))
    return project


def upgrade(project: Project, database: Database) -> Running:
    url = database.url.replace("postgresql:", "postgresql+psycopg2:")
    return project.python("-c", UPGRADE, variables={"DATABASE_URL": url})

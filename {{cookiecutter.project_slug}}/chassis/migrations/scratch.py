"""Scratch databases: made for one purpose, without others' objects, and dropped again."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from uuid import uuid4

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import Script
from alembic.util import CommandError
from psycopg2 import errorcodes
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateSchema

from chassis.maintenance.window_log import create_tables_beside
from chassis.postgres.engines import psycopg2_url, unpooled_engine
from chassis.postgres.error_translation import first_line, sqlstate


class ScratchForbiddenError(Exception):
    """The role may not create databases."""


@contextmanager
def scratch_database(url: str) -> Iterator[Connection]:
    """Make a scratch database, with the schema that `url` writes to and the chassis's tables in it.

    Raise ScratchForbiddenError if the role in `url` may not create databases.
    """
    name = f"check_{uuid4().hex}"
    where = psycopg2_url(url)
    server = unpooled_engine(where, isolation_level="AUTOCOMMIT")
    with server.connect() as administrator:
        home = administrator.exec_driver_sql("SELECT current_schema()").scalar()
        try:
            administrator.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE template0")
        except DBAPIError as error:
            if sqlstate(error) != errorcodes.INSUFFICIENT_PRIVILEGE:
                raise
            raise ScratchForbiddenError from error
        try:
            with unpooled_engine(where.set(database=name)).connect() as connection:
                if home:
                    connection.execute(CreateSchema(home, if_not_exists=True))
                create_tables_beside(connection)
                connection.commit()
                yield connection
        finally:
            administrator.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


def apply(connection: Connection, script: Script) -> None:
    """Run the revision's `upgrade` and commit it. Raise CommandError if it fails."""
    try:
        with operations(connection):
            script.module.upgrade()
    except DBAPIError as error:
        text = f"{script.revision} fails on an empty database ({first_line(error.orig)})"
        raise CommandError(text) from error


@contextmanager
def operations(connection: Connection) -> Iterator[Operations]:
    """Let `op` work on this connection, in a transaction that is committed at the end."""
    connection.rollback()  # Alembic would not commit an open transaction.
    context = MigrationContext.configure(connection, opts={"transaction_per_migration": True})
    with context.begin_transaction(_per_migration=True), Operations.context(context) as op:
        yield op


@contextmanager
def undone(connection: Connection) -> Iterator[None]:
    """Roll back everything that the block does."""
    connection.rollback()
    try:
        yield
    finally:
        with suppress(DBAPIError):
            connection.rollback()

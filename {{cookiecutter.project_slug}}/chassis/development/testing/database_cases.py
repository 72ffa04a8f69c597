"""Databases for tests: clones of a template database that is migrated once per run."""

import atexit
import unittest
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from itertools import count
from uuid import uuid4

from sqlalchemy import Engine, create_engine, inspect, text

from chassis.development.testing.postgres_server import server
from chassis.migrations.commands import Migrations
from chassis.project import current_project

RUN = f"test_{uuid4().hex}"  # Runs may share a server, but not databases.
NUMBERS = count(1)


class DatabaseTestCase(unittest.TestCase):
    """The tests of a class share a migrated database, and each finds it empty.

    A test that changes the schema takes `migrated_database` or `empty_database` instead. For a
    project that uses no database, there is none, and its URL is empty.
    """

    database_url: str
    _cleaner: Engine

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.database_url = ""
        if not current_project().uses_database:
            return
        cls.database_url = cls.enterClassContext(cls.database())
        cls._cleaner = create_engine(cls.database_url, use_native_hstore=False)
        cls.addClassCleanup(cls._cleaner.dispose)

    @classmethod
    def database(cls) -> AbstractContextManager[str]:
        """Make a database, and yield its URL."""
        return migrated_database()

    def setUp(self) -> None:
        super().setUp()
        if self.database_url:
            self.addCleanup(_empty_tables, self._cleaner)


@contextmanager
def migrated_database() -> Iterator[str]:
    """Make a database at the newest revision, and yield its URL."""
    with _database(_template()) as url:
        yield url


@contextmanager
def empty_database() -> Iterator[str]:
    """Make a database without tables, and yield its URL."""
    with _database("template0") as url:
        yield url


@contextmanager
def _database(template: str) -> Iterator[str]:
    name = _create(template)
    try:
        yield _url(name)
    finally:
        _drop(name)


@cache
def _template() -> str:
    name = _create("template0")
    atexit.register(_drop, name)
    Migrations(_url(name)).upgrade()
    # A database with a connection cannot be cloned; autovacuum may have one.
    _execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    return name


def _create(template: str) -> str:
    name = f"{RUN}_{next(NUMBERS)}"
    _execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    return name


def _drop(name: str) -> None:
    _execute(f"DROP DATABASE {name} WITH (FORCE)")


def _url(name: str) -> str:
    return server().url.set(database=name).render_as_string(hide_password=False)


def _execute(statement: str) -> None:
    with server().connect() as connection:
        connection.exec_driver_sql(statement)


def _empty_tables(engine: Engine) -> None:
    with engine.begin() as connection:
        names = set(inspect(connection).get_table_names()) - {"alembic_version"}
        tables = [f'"{name}"' for name in names]
        tables += ["ops.job", "ops.outbox", "ops.periodic_task"]
        if tables:
            connection.execute(text(f"TRUNCATE {', '.join(tables)} CASCADE"))

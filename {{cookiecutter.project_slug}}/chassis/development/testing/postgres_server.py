"""The PostgreSQL of a test run: TEST_DATABASE_URL, else Docker, else the embedded one.

TEST_DATABASE=docker or TEST_DATABASE=embedded insists on that one. Runs at the same time share the
embedded one if they name the same TEST_EMBEDDED_DIRECTORY.
"""

import atexit
import os
import shutil
import sys
import tempfile
from functools import cache
from pathlib import Path

from sqlalchemy import Engine, NullPool, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from chassis.postgres.embedded import start_embedded_postgres
from chassis.postgres.engines import psycopg2_url

QUESTION = text("""
    SELECT split_part(current_setting('server_version'), ' ', 1), rolcreatedb OR rolsuper
    FROM pg_roles WHERE rolname = current_user
""")


@cache
def server() -> Engine:
    """Start the server and report it on stderr, or end the run with a sentence."""
    url, name = _find()
    try:
        engine = create_engine(psycopg2_url(url), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            version, may_create = connection.execute(QUESTION).one()
    except SQLAlchemyError as error:
        sys.exit(f"tests: {name} does not work: {_reason(error)}")
    if not may_create:
        sys.exit(f"tests: the role in {name} may not create databases, and each test needs one.")
    atexit.register(engine.dispose)
    print(f"\ntests: PostgreSQL {version}, {name}", file=sys.__stderr__)
    return engine


def _find() -> tuple[str, str]:
    """The URL of the server, and a name of it for the report."""
    wanted, url = os.environ.get("TEST_DATABASE"), os.environ.get("TEST_DATABASE_URL")
    if url and not wanted:
        return url, "TEST_DATABASE_URL"
    failures: list[str] = []
    for name, start in {"docker": _docker, "embedded": _embedded}.items():
        if wanted in {None, "", name}:
            try:
                return start(), ", as ".join([name, *failures])
            except Exception as error:  # After any error of Docker, the embedded one may work.
                failures.append(f"{name} does not work here ({_reason(error)})")
    choices = "TEST_DATABASE is docker or embedded"
    sys.exit(f"tests: there is no PostgreSQL: {'; '.join(failures) or choices}")


def _docker() -> str:
    from testcontainers.community.postgres import PostgresContainer  # noqa: PLC0415  # A second.

    container = PostgresContainer(
        "postgres:17-alpine", username="test", password="test", dbname="test", driver="psycopg2"
    )
    container.with_tmpfs_mount("/var/lib/postgresql/data")
    atexit.register(container.stop)
    return container.start().get_connection_url()


def _embedded() -> str:
    directory = os.environ.get("TEST_EMBEDDED_DIRECTORY")
    if not directory:
        directory = tempfile.mkdtemp(prefix="test-postgres-")
        atexit.register(shutil.rmtree, directory)  # Runs after the server's stop.
    url = start_embedded_postgres(Path(directory))
    engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql("ALTER SYSTEM SET fsync = off")
        connection.exec_driver_sql("SELECT pg_reload_conf()")
    return url


def _reason(error: Exception) -> str:
    return str(error).partition("\n")[0]

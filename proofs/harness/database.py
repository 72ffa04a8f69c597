"""A PostgreSQL server for proofs, and its databases, which are clones of a filled template."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import psycopg2  # type: ignore[import-untyped]  # The generated project's, which runs this.

SETTINGS = {
    "max_connections": "400",
    "fsync": "off",  # Without it, only a crash of the whole machine could lose data.
    "track_commit_timestamp": "on",
    "max_wal_size": "4GB",
}
# One line for each object in the schema `public`, so that two states can be compared.
CATALOG = """
    SELECT 'column ' || concat_ws(' ', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
        a.attnotnull, pg_get_expr(d.adbin, d.adrelid))
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relkind IN ('r', 'p', 'v', 'm') AND NOT a.attisdropped
    AND c.relnamespace = 'public'::regnamespace
    UNION ALL SELECT 'constraint ' || concat_ws(' ', conrelid::regclass, conname, convalidated,
        pg_get_constraintdef(oid))
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT 'index ' || concat_ws(' ', c.relname, i.indisvalid, pg_get_indexdef(c.oid))
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE c.relnamespace = 'public'::regnamespace
    UNION ALL SELECT 'trigger ' || concat_ws(' ', tgname, tgenabled, pg_get_triggerdef(t.oid))
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE NOT tgisinternal AND c.relnamespace = 'public'::regnamespace
    UNION ALL SELECT 'function ' || proname || ' ' || md5(prosrc)
    FROM pg_proc WHERE pronamespace = 'public'::regnamespace
"""


class Database:
    def __init__(self, cluster: "Cluster", name: str) -> None:
        self.cluster = cluster
        self.name = name
        self.url = cluster.url_of(name)

    @contextmanager
    def connect(self, application_name: str = "rehearsal", *, autocommit: bool = True) -> Any:
        connection = psycopg2.connect(self.url, application_name=application_name)
        connection.autocommit = autocommit
        try:
            yield connection
        finally:
            connection.close()

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(sql, values or None)  # Without values, a % in the SQL stands for itself.
            return list(cursor.fetchall()) if cursor.description else []

    def value(self, sql: str, *values: Any) -> Any:
        rows = self.rows(sql, *values)
        return rows[0][0] if rows else None

    def revision(self) -> str:
        return str(self.value("SELECT version_num FROM alembic_version"))

    def schema(self) -> frozenset[str]:
        return frozenset(line for (line,) in self.rows(CATALOG))

    def invalid_indexes(self) -> list[str]:
        sql = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"
        return [name for (name,) in self.rows(sql)]

    def open_windows(self) -> list[str]:
        if not self.value("SELECT to_regclass('ops.window')"):
            return []
        sql = "SELECT id || ' ' || phase FROM ops.window WHERE finished_at IS NULL"
        return [window for (window,) in self.rows(sql)]

    def deadlocks(self) -> int:
        """Count the deadlocks of ended sessions, which report them at their end."""
        sql = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        return int(self.value(sql))


class Cluster:
    """A PostgreSQL server. It creates one database at a time, also for several threads."""

    def __init__(self, url: str, log: Path) -> None:
        self._url = url.replace("+psycopg2", "")
        self.log = log
        self._numbers = count(1)
        self._turn = threading.Lock()
        self.admin = Database(self, "postgres")
        self.empty = Database(self, "template1")

    def url_of(self, name: str) -> str:
        return self._url.replace("/postgres?", f"/{name}?")

    def configure(self) -> None:
        """Write settings that take effect at the server's next start."""
        for name, value in SETTINGS.items():
            self.admin.rows(f"ALTER SYSTEM SET {name} = '{value}'")

    def program(self, name: str) -> str:
        """The path of a program of the server's own version, such as pg_dump."""
        folder = self.admin.value("SELECT setting FROM pg_config WHERE name = 'BINDIR'")
        return f"{folder}/{name}"

    def version(self) -> str:
        return str(self.admin.value("SHOW server_version")).split()[0]

    def create(self, template: Database) -> Database:
        with self._turn:
            name = f"proof_{next(self._numbers)}"
            self.admin.rows(f"CREATE DATABASE {name} TEMPLATE {template.name}")
        return Database(self, name)

    @contextmanager
    def clone(self, template: Database) -> Iterator[Database]:
        database = self.create(template)
        try:
            yield database
        finally:
            self.drop(database)

    def drop(self, database: Database) -> None:
        self.admin.rows(f"DROP DATABASE {database.name} WITH (FORCE)")

    def sessions(self, database: Database) -> int:
        """Count the sessions in a database, without the proof's own."""
        sql = (
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = %s AND application_name <> 'rehearsal'"
        )
        return int(self.admin.value(sql, database.name))

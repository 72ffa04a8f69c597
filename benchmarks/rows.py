"""The table of todos in each application's database."""

import json
from contextlib import ExitStack
from datetime import datetime
from typing import Any

from benchmarks.postgres import Postgres

ROWS = 10_000
# Ids in the order of creation times, the same in each database.
FILL = """
    INSERT INTO todos (id, title, completed_at, version)
    SELECT
        (lpad(to_hex(1760000000000 + n), 12, '0') || '7' || substr(md5(n::text), 1, 3) || '8'
            || substr(md5(n::text), 4, 15))::uuid,
        'Something to be done, number ' || n,
        CASE WHEN n %% 3 = 0 THEN timestamptz '2026-01-01 12:00:00.123456+00' + n * interval '1 s'
        END,
        1
    FROM generate_series(1, %s) n
"""
Row = dict[str, Any]


class Rows:
    """Create a database, empty or as a clone of one without connections."""

    def __init__(self, server: Postgres, database: str, template: str = "template1") -> None:
        self.server = server
        self.database = database
        with server.connect() as admin:
            admin.cursor().execute(f"CREATE DATABASE {database} TEMPLATE {template}")
        self._exits = ExitStack()
        self._connection = self._exits.enter_context(server.connect(database))

    def fill(self) -> None:
        self._run(FILL, ROWS)
        self.settle()

    def ids(self) -> list[str]:
        return [str(found[0]) for found in self._run("SELECT id FROM todos ORDER BY id")]

    def find(self, todo_id: str) -> Row | None:
        found = self._run("SELECT to_jsonb(t) FROM todos t WHERE id = %s", todo_id)
        return found[0][0] if found else None

    def changes(self) -> int:
        """Return the total number of changes to rows."""
        return int(self._run("SELECT sum(version - 1) FROM todos")[0][0])

    def remove(self, title: str) -> int:
        """Delete the rows with this title; return how many there were."""
        return len(self._run("DELETE FROM todos WHERE title = %s RETURNING 1", title))

    def settle(self) -> None:
        """Vacuum and analyze the table, so that a measurement leaves no work for the next one."""
        self._run("VACUUM ANALYZE todos")

    def close(self) -> None:
        self._exits.close()

    def _run(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(sql, values or None)
            return list(cursor.fetchall()) if cursor.description else []


def same(shown: Row, stored: Row) -> bool:
    """Tell whether a response has the row's values; times may have two spellings."""
    return shown.keys() == stored.keys() and _plain(shown) == _plain(stored)


def _plain(row: Row) -> str:
    moment = row["completed_at"]
    stamp = datetime.fromisoformat(moment).timestamp() if moment else None
    return json.dumps({**row, "completed_at": stamp}, sort_keys=True)

"""The table that each application has in a database of its own."""

import json
from contextlib import ExitStack
from datetime import datetime
from typing import Any

from benchmarks.postgres import Postgres

ROWS = 10_000
# Ids that sort by the time at which they were made, the same in each database.
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
    """A database that is new, or a clone of one that nobody is connected to."""

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
        """How often a row was changed, in all."""
        return int(self._run("SELECT sum(version - 1) FROM todos")[0][0])

    def remove(self, title: str) -> int:
        """What was created under this title; how much that was."""
        return len(self._run("DELETE FROM todos WHERE title = %s RETURNING 1", title))

    def settle(self) -> None:
        """Nothing that one measurement left behind is the next one's work."""
        self._run("VACUUM ANALYZE todos")

    def close(self) -> None:
        self._exits.close()

    def _run(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(sql, values or None)
            return list(cursor.fetchall()) if cursor.description else []


def same(shown: Row, stored: Row) -> bool:
    """Whether an answer has a row's fields and values; a time may be spelt in two ways."""
    return shown.keys() == stored.keys() and _plain(shown) == _plain(stored)


def _plain(row: Row) -> str:
    moment = row["completed_at"]
    stamp = datetime.fromisoformat(moment).timestamp() if moment else None
    return json.dumps({**row, "completed_at": stamp}, sort_keys=True)

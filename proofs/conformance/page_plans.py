"""Runs in the project: counts the buffers that the repository reads for first and last pages."""

# mypy: ignore-errors
# Importing src makes the project known to the chassis.

import json
import os
import sys
from dataclasses import replace
from types import SimpleNamespace

from chassis.core.paging import PageQuery, SortKey
from chassis.postgres.engines import psycopg2_url
from chassis.postgres.keyset import page_statement, page_values
from sqlalchemy import create_engine, event
from src.infrastructure.models.todos import todos

ORDERS = {
    "unsorted": (),
    "-created_at": (SortKey("id", descends=True),),
    "title": (SortKey("title"),),
    "-title": (SortKey("title", descends=True),),
    "title,-created_at": (SortKey("title"), SortKey("id", descends=True)),
}


def explain(connection, query):
    """Explain the statement twice: at the second time all its pages are in memory."""
    statement, values = page_statement(todos, query), page_values(query)
    for _ in range(2):
        with connection.begin(), explained(connection):
            [[[plan]]] = statement.rows(connection, values)
    top = plan["Plan"]
    return top["Shared Hit Blocks"] + top["Shared Read Blocks"], plan["Execution Time"]


class explained:  # noqa: N801  # A context manager.
    def __init__(self, connection):
        self.connection = connection

    def __enter__(self):
        event.listen(self.connection, "before_cursor_execute", self.prefix, retval=True)

    def __exit__(self, *_):
        event.remove(self.connection, "before_cursor_execute", self.prefix)

    @staticmethod
    def prefix(_connection, _cursor, statement, parameters, _context, _many):
        return f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", parameters


def last_page(connection, query):
    """Return the cursor of the page that ends at the last row."""
    turned = replace(query, order=tuple(SortKey(key.name, not key.descends) for key in query.keys))
    *_, row = page_statement(todos, turned).rows(connection, page_values(turned))
    connection.rollback()
    entity = SimpleNamespace(**dict(zip(todos.c.keys(), row, strict=True)))
    return replace(query, after=query.position(entity))


def main(limit):
    with create_engine(psycopg2_url(os.environ["DATABASE_URL"])).connect() as connection:
        for name, order in ORDERS.items():
            # The repository asks for one row more than a page has.
            query = PageQuery(limit=limit + 1, order=order)
            first, first_ms = explain(connection, query)
            last, last_ms = explain(connection, last_page(connection, query))
            print(json.dumps([name, first, last, first_ms, last_ms]), flush=True)


main(int(sys.argv[1]))

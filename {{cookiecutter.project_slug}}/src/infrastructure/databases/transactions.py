from typing import Any

from psycopg2.extensions import TRANSACTION_STATUS_IDLE, connection, cursor
from sqlalchemy import Connection


class BeginningCursor(cursor):
    connection: "TransactionConnection"

    def execute(self, query: Any, values: Any = None) -> None:
        if not isinstance(query, str):
            raise TypeError("A statement here is a str: bytes or a Composed have no BEGIN.")
        if self.connection.get_transaction_status() == TRANSACTION_STATUS_IDLE:
            query = f"BEGIN; {self.connection.preamble} {query}"
        super().execute(query, values)

    def executemany(self, query: Any, rows: Any) -> None:
        if self.connection.get_transaction_status() == TRANSACTION_STATUS_IDLE:
            super().execute(f"BEGIN; {self.connection.preamble}")
        super().executemany(query, rows)


def pass_first(connection: Connection, preamble: str) -> None:
    """Run `preamble`, which ends with a semicolon, before the first statement of a transaction."""
    begins: Any = connection.connection.driver_connection
    begins.preamble = preamble


class TransactionConnection(connection):
    """Begins a transaction in the same message as its first statement.

    `preamble` is SQL that goes between the two, with a semicolon at its end, in one transaction.

    psycopg2 sends BEGIN by itself before, one more round trip a write; so it is told that there
    are no transactions, and what it would do about them is done here. So it has no cursors on the
    server, and no isolation level but PostgreSQL's default.
    https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-MULTI-STATEMENT
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.autocommit = True
        self.cursor_factory = BeginningCursor
        self.preamble = ""

    def commit(self) -> None:
        self._end("COMMIT")

    def rollback(self) -> None:
        self._end("ROLLBACK")

    def _end(self, statement: str) -> None:
        self.preamble = ""
        if self.get_transaction_status() != TRANSACTION_STATUS_IDLE:
            with self.cursor() as ending:
                ending.execute(statement)

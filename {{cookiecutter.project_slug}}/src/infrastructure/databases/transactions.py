from typing import Any

from psycopg2.extensions import TRANSACTION_STATUS_IDLE, connection, cursor


class BeginningCursor(cursor):
    def execute(self, query: Any, values: Any = None) -> None:
        if not isinstance(query, str):
            raise TypeError("A statement here is a str: bytes or a Composed have no BEGIN.")
        if self.connection.get_transaction_status() == TRANSACTION_STATUS_IDLE:
            query = f"BEGIN; {query}"
        super().execute(query, values)

    def executemany(self, query: Any, rows: Any) -> None:
        if self.connection.get_transaction_status() == TRANSACTION_STATUS_IDLE:
            super().execute("BEGIN")
        super().executemany(query, rows)


class TransactionConnection(connection):
    """Begins a transaction in the same message as its first statement.

    psycopg2 sends BEGIN by itself before, one more round trip a write; so it is told that there
    are no transactions, and what it would do about them is done here. So it has no cursors on the
    server, and no isolation level but PostgreSQL's default.
    https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-MULTI-STATEMENT
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.autocommit = True
        self.cursor_factory = BeginningCursor

    def commit(self) -> None:
        self._end("COMMIT")

    def rollback(self) -> None:
        self._end("ROLLBACK")

    def _end(self, statement: str) -> None:
        if self.get_transaction_status() != TRANSACTION_STATUS_IDLE:
            with self.cursor() as ending:
                ending.execute(statement)

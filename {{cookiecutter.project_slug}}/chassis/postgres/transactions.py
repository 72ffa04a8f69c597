from typing import Any

import psycopg2
from psycopg2.errors import InFailedSqlTransaction
from psycopg2.extensions import (
    STATUS_READY,
    TRANSACTION_STATUS_IDLE,
    TRANSACTION_STATUS_INERROR,
    connection,
    cursor,
)


class BeginningCursor(cursor):
    connection: "TransactionConnection"

    def execute(self, query: Any, values: Any = None) -> None:
        if not isinstance(query, str):
            raise TypeError("The statement has to be a str, so that BEGIN can be put before it.")
        if self.connection.get_transaction_status() == TRANSACTION_STATUS_IDLE:
            query = f"BEGIN; {self.connection.settings}{self.connection.preamble} {query}"
        try:
            super().execute(query, values)
        except InFailedSqlTransaction as error:
            raise self.connection.failure or error from None
        except psycopg2.Error as error:
            self.connection.failure = error
            raise

    def executemany(self, query: Any, rows: Any) -> None:
        self.begin()
        super().executemany(query, rows)

    def callproc(self, *arguments: Any) -> Any:
        self.begin()
        return super().callproc(*arguments)

    def copy_expert(self, *arguments: Any, **options: Any) -> None:
        self.begin()
        super().copy_expert(*arguments, **options)

    def copy_from(self, *arguments: Any, **options: Any) -> None:
        self.begin()
        super().copy_from(*arguments, **options)

    def copy_to(self, *arguments: Any, **options: Any) -> None:
        self.begin()
        super().copy_to(*arguments, **options)

    def begin(self) -> None:
        """Begin the transaction, before a command that is not a single statement."""
        if self.connection.get_transaction_status() == TRANSACTION_STATUS_IDLE:
            self.execute("SELECT")


class TransactionConnection(connection):
    """Begins a transaction in the same message as its first statement.

    psycopg2 would send BEGIN by itself: one more round trip for each write. So psycopg2 is put in
    autocommit, and this class begins, commits and rolls back. Server-side cursors and other
    isolation levels than PostgreSQL's default are not available.
    https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-MULTI-STATEMENT
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.autocommit = True
        self.cursor_factory = BeginningCursor
        self.settings = ""  # For each transaction: settings that a pooler would drop.
        # A statement that ends with a semicolon, sent before the first one of each transaction. If
        # it fails, the first statement fails, too; its rows are not returned.
        self.preamble = ""
        self.failure: psycopg2.Error | None = None  # The error of the present transaction.

    def cursor(self, *arguments: Any, **options: Any) -> Any:
        made = super().cursor(*arguments, **options)
        if self.preamble and not isinstance(made, BeginningCursor):
            beginning: Any = super().cursor()
            with beginning:
                beginning.begin()
        return made

    def commit(self) -> None:
        """Commit, or raise an earlier error: PostgreSQL would roll back without an error."""
        if self.get_transaction_status() == TRANSACTION_STATUS_INERROR:
            failure = self.failure or InFailedSqlTransaction(
                "A statement of the transaction failed."
            )
            self.rollback()
            raise failure
        self._end("COMMIT")

    def rollback(self) -> None:
        self._end("ROLLBACK")

    def _end(self, statement: str) -> None:
        self.failure = None
        if self.get_transaction_status() != TRANSACTION_STATUS_IDLE:
            with self.cursor() as ending:
                ending.execute(statement)


class AutocommitConnection(connection):
    """Each statement is a transaction; psycopg2 is put in autocommit by SQLAlchemy."""

    def rollback(self) -> None:
        """Roll back only where something was begun: psycopg2 lets other threads run meanwhile."""
        is_idle = self.get_transaction_status() == TRANSACTION_STATUS_IDLE
        if self.status != STATUS_READY or not is_idle:
            super().rollback()

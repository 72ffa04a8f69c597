from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
from psycopg2.errors import InFailedSqlTransaction
from psycopg2.extensions import (
    TRANSACTION_STATUS_IDLE,
    TRANSACTION_STATUS_INERROR,
    connection,
    cursor,
)
from sqlalchemy import Connection


@contextmanager
def before_first_statement(connection: Connection, statement: str) -> Iterator[None]:
    """Send `statement`, which ends with a semicolon, with the first one of the transaction.

    Where it fails, so does that. Its own rows are not to be had.
    """
    behind: Any = connection.connection.driver_connection
    behind.preamble = statement
    try:
        yield
    finally:
        behind.preamble = ""


class BeginningCursor(cursor):
    connection: "TransactionConnection"

    def execute(self, query: Any, values: Any = None) -> None:
        if not isinstance(query, str):
            raise TypeError("A statement here is a str: bytes or a Composed have no BEGIN.")
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
        """By itself, before what is no single statement."""
        if self.connection.get_transaction_status() == TRANSACTION_STATUS_IDLE:
            self.execute("SELECT")


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
        self.settings = ""  # Statements of each transaction: what a pooler would drop.
        self.preamble = ""  # See before_first_statement.
        self.failure: psycopg2.Error | None = None  # What failed in the present transaction.

    def cursor(self, *arguments: Any, **options: Any) -> Any:
        made = super().cursor(*arguments, **options)
        if self.preamble and not isinstance(made, BeginningCursor):
            beginning: Any = super().cursor()
            with beginning:
                beginning.begin()
        return made

    def commit(self) -> None:
        """Raise what failed, if anything did: PostgreSQL would roll back, and say nothing."""
        if self.get_transaction_status() == TRANSACTION_STATUS_INERROR:
            failure = self.failure or InFailedSqlTransaction("A statement of it failed.")
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

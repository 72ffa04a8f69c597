"""Adds a column with a default that differs from row to row, without a rewrite of the table.

https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-NOTES
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from alembic.autogenerate import renderers
from alembic.operations import Operations, ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, DefaultClause, text
from sqlalchemy.dialects.postgresql import dialect
from sqlalchemy.exc import DBAPIError

from chassis.migrations.scratch import undone
from chassis.migrations.table_statements import Operation, Statement, qualified, quote

IMPORT = "from chassis.migrations import operations"
FILE = text("SELECT pg_relation_filenode(to_regclass(:table))")


class Backfill(Statement):
    """Runs outside a transaction, in batches, so that nothing has to be taken back."""

    def __init__(self, table: str, column: str, value: str, key: str) -> None:
        self.arguments = [table, f"{column} = {value}"]
        self.options = {"where": f"{column} IS NULL"} | ({"key": key} if key != "id" else {})
        every = f"UPDATE {table} SET {column} = {value} WHERE {column} IS NULL"  # noqa: S608
        super().__init__(every, "")


@renderers.dispatch_for(Backfill)
def _render_backfill(context: Any, operation: Backfill) -> str:
    context.imports.add(IMPORT)
    options = (f"{name}={value!r}" for name, value in operation.options.items())
    return f"operations.backfill({', '.join([*map(repr, operation.arguments), *options])})"


class VolatileColumnOp(ops.AddColumnOp):
    """Adds a column, nullable and without its default, which comes next; then rows are filled."""

    key = "id"

    @property
    def steps(self) -> tuple[ops.AddColumnOp, Statement, Backfill]:
        bare = self.column._copy()  # noqa: SLF001  # Alembic does the same.
        bare.server_default, bare.nullable = None, True
        table, column = qualified(self.schema or "", self.table_name), quote(self.column.name)
        default: Any = self.column.server_default
        options = {"dialect": dialect(), "compile_kwargs": {"literal_binds": True}}  # type: ignore[no-untyped-call]
        value = str(default.arg.compile(**options))
        alter = f"ALTER TABLE {table} ALTER {column}"
        return (
            ops.AddColumnOp(self.table_name, bare, schema=self.schema),
            Statement(f"{alter} SET DEFAULT {value}", f"{alter} DROP DEFAULT"),
            Backfill(table, column, value, quote(self.key)),
        )

    @property
    def not_null(self) -> ops.AlterColumnOp | None:
        if self.column.nullable:
            return None
        made = ops.AlterColumnOp(self.table_name, self.column.name, modify_nullable=False)
        made.schema, made.existing_nullable = self.schema, True
        return made


def with_volatile_defaults(
    connection: Connection, operations: Iterable[Operation]
) -> Iterator[Operation]:
    """Replace each added column for which PostgreSQL rewrites the table, as a trial here shows."""
    run = Operations(MigrationContext.configure(connection))
    for operation in operations:
        yield _volatile(connection, run, operation) or operation


def _volatile(
    connection: Connection, run: Operations, operation: Operation
) -> VolatileColumnOp | None:
    if not isinstance(operation, ops.AddColumnOp):
        return None
    column, table = operation.column, operation.column.table
    keys = [one.name for one in table.primary_key] if table is not None else []
    if not isinstance(column.server_default, DefaultClause) or len(keys) != 1:
        return None
    names = {"table": qualified(operation.schema or "", operation.table_name)}
    with undone(connection), suppress(DBAPIError):
        before = connection.execute(FILE, names).scalar()
        run.invoke(operation)
        if before and connection.execute(FILE, names).scalar() != before:
            made = VolatileColumnOp(operation.table_name, column, schema=operation.schema)
            [made.key] = keys
            return made
    return None

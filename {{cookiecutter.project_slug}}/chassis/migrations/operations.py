"""Operations for revisions that PostgreSQL only runs outside a transaction.

Each belongs in a revision of its own. Killed halfway, it is put right when it runs again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from alembic import op
from sqlalchemy import text

from chassis.migrations.backfill import backfill as backfill  # noqa: PLC0414  # For revisions.

# It waits for every older transaction, which blocks nobody; given up, it leaves an invalid index.
# https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY
PATIENCE = "SET lock_timeout = 0; SET statement_timeout = '1h'"
VALIDITY = text("""
    SELECT indisvalid FROM pg_index
    WHERE indrelid = to_regclass(concat_ws('.', quote_ident(:schema), quote_ident(:table)))
    AND indexrelid = to_regclass(concat_ws('.', quote_ident(:schema), quote_ident(:name)))
""")


def create_index_concurrently(name: str, table: str, columns: list[Any], **options: Any) -> None:
    """Build an index while the table is written to; `options` are those of `op.create_index`."""
    with _outside_a_transaction():
        valid = None
        if not op.get_context().as_sql:
            found = {"name": name, "table": table, "schema": options.get("schema")}
            valid = op.get_bind().execute(VALIDITY, found).scalar()
        if valid is False:
            schema = options.get("schema")
            op.drop_index(name, table, schema=schema, postgresql_concurrently=True)
        if not valid:
            op.create_index(name, table, columns, postgresql_concurrently=True, **options)


def drop_index_concurrently(name: str, table: str, schema: str | None = None) -> None:
    with _outside_a_transaction():
        op.drop_index(name, table, schema=schema, postgresql_concurrently=True, if_exists=True)


def add_enum_value(enum: str, value: str) -> None:
    """Only a later revision may use the value."""
    quoted = value.replace("'", "''")
    with _outside_a_transaction():
        op.execute(f"ALTER TYPE {enum} ADD VALUE IF NOT EXISTS '{quoted}'")


@contextmanager
def _outside_a_transaction() -> Iterator[None]:
    with op.get_context().autocommit_block():
        op.execute(PATIENCE)
        try:
            yield
        finally:
            op.execute("RESET lock_timeout; RESET statement_timeout")

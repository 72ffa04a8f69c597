"""Operations for revisions, in addition to Alembic's.

An operation that PostgreSQL runs only outside a transaction belongs in a revision of its own: an
index, a value of an enum, a backfill. If it is killed halfway, the next run repairs it.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from alembic import op
from sqlalchemy import text

from chassis.migrations.backfill import backfill as backfill  # noqa: PLC0414  # Revisions import it from here.

# The build waits for older transactions; if it is cancelled, it leaves an invalid index.
# https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY
WITHOUT_LIMITS = "SET lock_timeout = 0; SET statement_timeout = '1h'"
VALIDITY = text("""
    SELECT indisvalid FROM pg_index
    WHERE indrelid = to_regclass(concat_ws('.', quote_ident(:schema), quote_ident(:table)))
    AND indexrelid = to_regclass(concat_ws('.', quote_ident(:schema), quote_ident(:name)))
""")
LONGEST_NAME = 63
# The earlier release writes `old`, the later one `new`; if both are written, `new` counts.
EQUAL = """
    CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'INSERT' AND NEW.{new} IS NOT NULL
            OR TG_OP = 'UPDATE' AND NEW.{new} IS DISTINCT FROM OLD.{new}
        THEN
            NEW.{old} := {to_old};
        ELSE
            NEW.{new} := {to_new};
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER {trigger} BEFORE INSERT OR UPDATE ON {table}
    FOR EACH ROW EXECUTE FUNCTION {function}()
"""
APART = "DROP TRIGGER {trigger} ON {table}; DROP FUNCTION {function}()"


def keep_columns_equal(
    table: str, old: str, new: str, *, to_new: str | None = None, to_old: str | None = None
) -> None:
    """Let releases that know only one of two columns serve at the same time.

    A trigger writes the other one, until `let_columns_differ`. Names are as SQL writes them; `new`
    was just added, nullable and without a default. Types are converted as PostgreSQL assigns them;
    another conversion is an expression:

        keep_columns_equal("books", "price", "cents", to_new="NEW.price * 100",
            to_old="NEW.cents / 100.0")
    """
    expressions = {"to_new": to_new or f"NEW.{old}", "to_old": to_old or f"NEW.{new}"}
    op.execute(EQUAL.format(**_names(table, new), old=old, new=new, **expressions))


def let_columns_differ(table: str, new: str) -> None:
    """End `keep_columns_equal`, before one of the two columns is dropped."""
    op.execute(APART.format(**_names(table, new)))


def _names(table: str, new: str) -> dict[str, str]:
    schema, dot, own = table.rpartition(".")
    name = re.sub(r"\W+", "_", f"{own}_{new}_equal")[:LONGEST_NAME]
    return {"table": table, "trigger": name, "function": f"{schema}{dot}{name}"}


def create_index_concurrently(name: str, table: str, columns: list[Any], **options: Any) -> None:
    """Build an index while the table is written to; `options` are those of `op.create_index`."""
    with _outside_a_transaction():
        valid = None
        if not op.get_context().as_sql:
            names = {"name": name, "table": table, "schema": options.get("schema")}
            valid = op.get_bind().execute(VALIDITY, names).scalar()
        if valid is False:
            schema = options.get("schema")
            op.drop_index(name, table, schema=schema, postgresql_concurrently=True)
        if not valid:
            op.create_index(name, table, columns, postgresql_concurrently=True, **options)


def drop_index_concurrently(name: str, table: str, schema: str | None = None) -> None:
    with _outside_a_transaction():
        op.drop_index(name, table, schema=schema, postgresql_concurrently=True, if_exists=True)


def add_enum_value(enum: str, value: str) -> None:
    """Add a value to an enum. Only a later revision may use the value."""
    quoted = value.replace("'", "''")
    with _outside_a_transaction():
        op.execute(f"ALTER TYPE {enum} ADD VALUE IF NOT EXISTS '{quoted}'")


@contextmanager
def _outside_a_transaction() -> Iterator[None]:
    with op.get_context().autocommit_block():
        op.execute(WITHOUT_LIMITS)
        try:
            yield
        finally:
            op.execute("RESET lock_timeout; RESET statement_timeout")

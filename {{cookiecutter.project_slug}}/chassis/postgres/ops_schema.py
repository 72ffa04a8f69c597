"""The schema for the records of `db upgrade` and of maintenance windows, one for each service.

The usual name is `ops`. A service whose URL names a schema, as
`?options=-csearch_path=billing` does, has `billing_ops`, so that several can share a database.
Statements are written with `ops`.
"""

import re
from typing import Any

from sqlalchemy import Connection, Engine, TextClause
from sqlalchemy.ext.compiler import compiles

from chassis.core.errors import CodeError

OPS = "ops"
SUFFIX = f"_{OPS}"
NAME = re.compile(rf"\b{OPS}\b")
FIRST = re.compile(r'\s*("[^"]*"|[^",\s]*)\s*(?:,|$)')
# A schema name in SQL syntax that is safe in a statement and leaves room for the suffix.
KNOWN = re.compile(r'[a-z_][a-z0-9_]{0,58}|"[^"\'%:\\]{1,59}"', re.IGNORECASE)
SHARED = {"", "public", '"$user"', "$user"}


class SchemaNameError(CodeError):
    """The URL of a database names a schema that no service can have."""


class OpsText(TextClause):
    """SQL like `text`, in which `ops` stands for the schema of the executing connection."""

    inherit_cache = True


@compiles(OpsText)
def _in_its_schema(element: OpsText, compiler: Any, **options: Any) -> str:
    text: str = compiler.visit_textclause(element, **options)
    return NAME.sub(getattr(compiler.dialect, "ops_schema", OPS), text)


def use_ops_schema(engine: Engine, search_path: str) -> Engine:
    """Raise SchemaNameError if the first schema of the path is none that a service can have."""
    match = FIRST.match(search_path)
    home = match[1] if match else search_path
    if home not in SHARED:
        if not KNOWN.fullmatch(home):
            raise SchemaNameError(
                f"The URL of the database names the schema {home}. Use at most 59 of the "
                "characters a-z, 0-9 and _, not a digit first; or, in quotes, any but ' % : and "
                "backslash."
            )
        dialect: Any = engine.dialect
        dialect.own_schema = home
        dialect.ops_schema = f'{home[:-1]}{SUFFIX}"' if home.endswith('"') else home + SUFFIX
    return engine


def ops_schema(connection: Connection) -> str:
    """Return the name of the schema in SQL syntax."""
    return getattr(connection.dialect, "ops_schema", OPS)


def own_schema(connection: Connection) -> str | None:
    """Return the schema in the URL's search_path; None where role or server decide."""
    return getattr(connection.dialect, "own_schema", None)


def version_table(connection: Connection) -> str:
    """Return the name of Alembic's table, with the service's own schema if it has one."""
    home = own_schema(connection)
    return f"{home}.alembic_version" if home else "alembic_version"

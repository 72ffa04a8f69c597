"""Compares two databases' catalogs, and writes the difference as SQL, up and down."""

import re
from collections.abc import Iterator
from itertools import pairwise

from sqlalchemy import Connection, text

from chassis.migrations.catalog import CONSTRAINTS, Difference, Key
from chassis.migrations.shapes import no_longer_listed
from chassis.migrations.table_statements import (
    ConstraintStatement,
    NarrowedCheck,
    Removal,
    Statement,
    qualified,
    quote,
)

LABEL = re.compile(r"'((?:[^']|'')*)'")
GENERATED = re.compile(r"^(IDENTITY|GENERATED|serial)\b")
PRIMARY_KEY = text("""
    SELECT conname FROM pg_constraint WHERE contype = 'p' AND conrelid = to_regclass(:table)
""")


def prerequisites(difference: Difference) -> Iterator[Statement]:
    for key, definition in sorted(difference.missing.items()):
        name = qualified(key.schema, key.name)
        match key.kind:
            case "schema":
                name = quote(key.schema)
                yield Statement(f"CREATE SCHEMA {name}", f"DROP SCHEMA {name}")
            case "enum":
                yield Statement(f"CREATE TYPE {name} AS ENUM ({definition})", f"DROP TYPE {name}")
            case "sequence":
                yield Statement(f"CREATE SEQUENCE {name} {definition}", f"DROP SEQUENCE {name}")


def new_values(difference: Difference) -> Iterator[Statement]:
    for key, (was, wanted) in sorted(difference.changed.items()):
        if key.kind != "enum":
            continue
        old, new = LABEL.findall(was), LABEL.findall(wanted)
        for before, label in pairwise([None, *new]):
            if label not in old:
                first = f" BEFORE '{old[0]}'" if old and before is None else ""
                place = f" AFTER '{before}'" if before is not None else first
                name = qualified(key.schema, key.name)
                forward = f"ALTER TYPE {name} ADD VALUE IF NOT EXISTS '{label}'{place}"
                yield Statement(forward, "")


def additions(connection: Connection, difference: Difference) -> Iterator[Statement]:
    for key, definition in sorted(difference.missing.items()):
        if key.kind in {"index", "comment", *CONSTRAINTS}:
            yield _made(key, definition, connection)
    for key, (was, wanted) in sorted(difference.changed.items()):
        if key.kind in {"index", *CONSTRAINTS}:
            old, new = _made(key, was, connection), _made(key, wanted, connection)
            if was == f"{wanted} NOT VALID" and isinstance(new, ConstraintStatement):
                yield from new.validations()
            elif (
                isinstance(old, ConstraintStatement)
                and isinstance(new, ConstraintStatement)
                and no_longer_listed(was, wanted)
            ):
                yield NarrowedCheck(old, new)
            else:
                yield Statement(old.back, old.forward, key.relation)
                yield new
        elif key.kind == "column default" and not (GENERATED.match(was) or GENERATED.match(wanted)):
            column = f"ALTER TABLE {qualified(key.schema, key.table)} ALTER {quote(key.name)}"
            yield Statement(
                f"{column} {_default(wanted)}", f"{column} {_default(was)}", key.relation
            )
        elif key.kind == "comment":
            yield Statement(
                _made(key, wanted, connection).forward,
                _made(key, was, connection).forward,
                key.relation,
            )


def removals(connection: Connection, difference: Difference) -> Iterator[Statement]:
    for key, definition in sorted(difference.extra.items()):
        name = qualified(key.schema, key.name)
        match key.kind:
            case "enum":
                yield Removal(f"DROP TYPE {name}", f"CREATE TYPE {name} AS ENUM ({definition})")
            case "sequence":
                yield Removal(f"DROP SEQUENCE {name}", f"CREATE SEQUENCE {name} {definition}")
            case kind if kind in {"index", "comment", *CONSTRAINTS}:
                made = _made(key, definition, connection)
                yield Statement(made.back, made.forward, key.relation)


def _made(key: Key, definition: str, connection: Connection) -> Statement:
    table = qualified(key.schema, key.table)
    if key.kind == "index":
        name = quote(key.name)
        forward = definition.replace(" INDEX ON ", f" INDEX {name} ON ", 1).replace("ON ONLY", "ON")
        return Statement(forward, f"DROP INDEX {qualified(key.schema, key.name)}", key.relation)
    if key.kind == "comment":
        what = f"COLUMN {table}.{quote(key.name)}" if key.name else f"TABLE {table}"
        escaped = definition.replace("'", "''")
        return Statement(
            f"COMMENT ON {what} IS '{escaped}'", f"COMMENT ON {what} IS NULL", key.relation
        )
    present = None if key.name else connection.execute(PRIMARY_KEY, {"table": table}).scalar()
    name = key.name or present or f"pk_{key.table}"
    return ConstraintStatement(key.kind, key.relation, name, definition)


def _default(expression: str) -> str:
    return f"SET DEFAULT {expression}" if expression else "DROP DEFAULT"

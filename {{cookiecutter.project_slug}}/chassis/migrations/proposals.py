"""What a revision has to do, so that the revisions make what the models have.

Alembic proposes what can be read as Python; what it does not see is written as SQL, from the
catalog. What is proposed is limited to what the catalogs differ in.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from warnings import catch_warnings, simplefilter

from alembic.autogenerate import produce_migrations
from alembic.operations import Operations, ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, Connection, Enum, MetaData, TypeDecorator, text
from sqlalchemy.exc import DBAPIError

from chassis.maintenance.declarations import CONTRACT, EXPAND
from chassis.migrations.catalog import CONSTRAINTS, Catalog, Difference, Key, catalog, compare
from chassis.migrations.safe_forms import in_steps
from chassis.migrations.scratch import undone
from chassis.migrations.table_statements import (
    ConstraintStatement,
    Operation,
    Part,
    Statement,
    qualified,
    quote,
)

DROPS = (ops.DropTableOp, ops.DropColumnOp, ops.DropIndexOp, ops.DropConstraintOp)
COMPARED = {
    "include_schemas": True,
    # Comparing defaults, it asks the server whether they are equal, which json has no operator for.
    "autogenerate_plugins": ["alembic.autogenerate.*", "~alembic.autogenerate.defaults"],
}
LABEL = re.compile(r"'((?:[^']|'')*)'")
GENERATED = re.compile(r"^(IDENTITY|GENERATED|serial)\b")
PRIMARY_KEY_COLUMN = re.compile(r'"(?:[^"]|"")*"|(?<=[(\s])\w+(?=[,)])')
PRIMARY_KEY = text("""
    SELECT conname FROM pg_constraint WHERE contype = 'p' AND conrelid = to_regclass(:table)
""")


def parts(
    connection: Connection, metadata: MetaData, wanted: Catalog, *, plain: bool = False
) -> Iterator[Part]:
    """Each has to be applied to this scratch database before the next is asked for.

    `plain` is as few as possible, whoever is kept out while they are applied.
    """
    before = catalog(connection)
    difference = compare(before, wanted)
    if values := list(_new_values(difference)):
        yield Part(values)  # A value cannot be used in the transaction that adds it.
        difference = compare(catalog(connection), wanted)
    expand, contract = _proposed(connection, metadata, difference)
    expand = [one for one in expand if not _comes_with_a_key(one, difference)]
    with undone(connection):
        expand = [*_before(difference), *expand]
        expand += _left_over(connection, expand, wanted, _additions)
        contract += _left_over(connection, contract, wanted, _removals)
    connection.rollback()
    in_use = {
        key.relation
        for key, definition in before.items()
        if key.kind == "table" and definition.startswith("r")
    }
    for operations, phase in ((expand, EXPAND), (contract, CONTRACT)):
        if plain and operations:
            yield Part(operations, phase)
        elif operations:
            yield from in_steps(operations, in_use, phase)


def drops(difference: Difference) -> list[Key]:
    """What the models have not any more. Each has to be accepted by its name."""
    return sorted(difference.extra)


def proposed_by_alembic(
    connection: Connection, metadata: MetaData, **options: Any
) -> list[Operation]:
    context = MigrationContext.configure(
        connection, opts={"target_metadata": metadata, **COMPARED, **options}
    )
    reflect = context.impl.autogen_column_reflect

    def reflect_or_leave(inspector: object, table: object, column: object) -> None:
        """Of a sequence in another schema than its table's, SQLAlchemy has the wrong name."""
        with suppress(DBAPIError), connection.begin_nested():
            reflect(inspector, table, column)  # type: ignore[no-untyped-call]

    context.impl.autogen_column_reflect = reflect_or_leave  # type: ignore[method-assign]
    with catch_warnings():
        simplefilter("ignore")  # Of types that it does not know: the catalog does.
        script = produce_migrations(context, metadata)
    return list(_flat(script.upgrade_ops.ops if script.upgrade_ops else ()))


def is_drop(operation: Operation) -> bool:
    return isinstance(operation, DROPS)


def enum_as_it_is(kind: str, item: object, context: Any) -> str | bool:
    """A type is made by a statement of its own, and no table makes it on the way.

    What a type decorator does with a value is the service's matter: the column has its `impl`.
    """
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl!r}"
    if kind != "type" or not isinstance(item, Enum) or not item.native_enum or not item.name:
        return False
    context.imports.add("from sqlalchemy.dialects import postgresql")
    arguments = [*map(repr, item.enums), f"name={item.name!r}"]
    arguments += [f"schema={item.schema!r}"] if item.schema else []
    return f"postgresql.ENUM({', '.join(arguments)}, create_type=False)"


def _proposed(
    connection: Connection, metadata: MetaData, difference: Difference
) -> tuple[list[Operation], list[Operation]]:
    """What Alembic has to say about the difference, and not about anything else."""
    if not difference:
        return [], []
    home = connection.dialect.default_schema_name
    every = {*difference.missing, *difference.extra, *difference.changed}

    def type_differs(_context: object, _is: object, column: Column[Any], *_: object) -> bool:
        table = column.table
        schema = "" if table.schema in {None, home} else table.schema
        return Key("column type", schema or "", table.name, column.name) in every

    proposed = proposed_by_alembic(connection, metadata, compare_type=type_differs)
    connection.rollback()
    expand: list[Operation] = []
    contract: list[Operation] = []
    for operation in proposed:
        subject = _Subject.of(operation, home)
        if not subject.is_in(every) or (
            isinstance(operation, ops.AddConstraintOp) and not subject.is_new(difference.missing)
        ):
            continue  # To a table that there is, constraints are added as the catalog has them.
        (contract if is_drop(operation) and subject.is_in(difference.extra) else expand).append(
            operation
        )
    return expand, contract


@dataclass(frozen=True, slots=True)
class _Subject:
    """What an operation of Alembic's is about."""

    relation: tuple[str, str]
    kinds: frozenset[str]
    name: str | None  # None where Alembic does not know it.

    @classmethod
    def of(cls, operation: Any, home: str | None) -> "_Subject":
        kinds: Iterable[str] = {"table"}
        name: Any = ""
        match operation:
            case ops.AddColumnOp():
                kinds, name = {"column type"}, operation.column.name
            case ops.DropColumnOp() | ops.AlterColumnOp():
                kinds = {"column type", "column null", "column default", "comment"}
                name = operation.column_name
            case ops.CreateIndexOp() | ops.DropIndexOp():
                kinds, name = {"index"}, operation.index_name
            case ops.AddConstraintOp() | ops.DropConstraintOp():
                kinds = CONSTRAINTS - {"primary key"}
                name = getattr(operation, "constraint_name", None)
            case ops.CreateTableCommentOp() | ops.DropTableCommentOp():
                kinds = {"comment"}
        table = getattr(operation, "table_name", None) or operation.source_table
        schema = operation.schema if hasattr(operation, "schema") else operation.kw["source_schema"]
        return cls(("" if schema in {None, home} else schema, table), frozenset(kinds), name)

    def is_new(self, missing: Iterable[Key]) -> bool:
        return any(key.kind == "table" and key.relation == self.relation for key in missing)

    def is_in(self, keys: Iterable[Key]) -> bool:
        return any(
            key.relation == self.relation
            and (key.kind == "table" or (key.kind in self.kinds and self.name in {None, key.name}))
            for key in keys
        )


def _left_over(
    connection: Connection,
    operations: list[Operation],
    wanted: Catalog,
    write: Callable[[Connection, Difference], Iterator[Statement]],
) -> list[Statement]:
    """Try the operations, and write what they leave undone."""
    run = Operations(MigrationContext.configure(connection))
    try:
        for operation in operations:
            run.invoke(operation)
        found = list(write(connection, compare(catalog(connection), wanted)))
        for statement in found:
            run.invoke(statement)
    except DBAPIError:  # It will be seen, and said, when the revision is tried.
        return []
    return found


def _comes_with_a_key(operation: Operation, difference: Difference) -> bool:
    """NOT NULL of a column of a new primary key, which could not be taken back before the key."""
    match operation:
        case ops.AlterColumnOp(modify_nullable=False, modify_type=None):
            relation = operation.schema or "", operation.table_name
            keys = {key: made for key, (_, made) in difference.changed.items()} | difference.missing
            return any(
                key.kind == "primary key"
                and key.relation == relation
                and quote(operation.column_name) in PRIMARY_KEY_COLUMN.findall(definition)
                for key, definition in keys.items()
            )
    return False


def _before(difference: Difference) -> Iterator[Statement]:
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


def _new_values(difference: Difference) -> Iterator[Statement]:
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


def _additions(connection: Connection, difference: Difference) -> Iterator[Statement]:
    for key, definition in sorted(difference.missing.items()):
        if key.kind in {"index", "comment", *CONSTRAINTS}:
            yield _made(key, definition, connection)
    for key, (was, wanted) in sorted(difference.changed.items()):
        if key.kind in {"index", *CONSTRAINTS}:
            old, new = _made(key, was, connection), _made(key, wanted, connection)
            if was == f"{wanted} NOT VALID" and isinstance(new, ConstraintStatement):
                yield new.validation()
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


def _removals(connection: Connection, difference: Difference) -> Iterator[Statement]:
    for key, definition in sorted(difference.extra.items()):
        name = qualified(key.schema, key.name)
        match key.kind:
            case "enum":
                yield Statement(f"DROP TYPE {name}", f"CREATE TYPE {name} AS ENUM ({definition})")
            case "sequence":
                yield Statement(f"DROP SEQUENCE {name}", f"CREATE SEQUENCE {name} {definition}")
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


def _flat(operations: Iterable[Operation]) -> Iterator[Operation]:
    for operation in operations:
        if isinstance(operation, ops.ModifyTableOps):
            yield from _flat(operation.ops)
        else:
            yield operation

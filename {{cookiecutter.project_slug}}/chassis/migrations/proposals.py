"""Proposes the operations that make the revisions agree with the models.

Alembic proposes operations in Python. Differences that it does not see become SQL, from the
catalog. Only differences between the catalogs are proposed.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from warnings import catch_warnings, simplefilter

from alembic.autogenerate import produce_migrations
from alembic.operations import Operations, ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, Connection, Enum, MetaData, TypeDecorator
from sqlalchemy.exc import DBAPIError

from chassis.maintenance.declarations import CONTRACT, EXPAND
from chassis.migrations.catalog import CONSTRAINTS, Catalog, Difference, Key, catalog, compare
from chassis.migrations.catalog_statements import additions, new_values, prerequisites, removals
from chassis.migrations.safe_forms import in_steps
from chassis.migrations.scratch import undone
from chassis.migrations.table_operations import as_written, in_order
from chassis.migrations.table_statements import Operation, Part, Statement, quote
from chassis.migrations.volatile_defaults import with_volatile_defaults
from chassis.migrations.wider_columns import with_wider_columns

DROPS = (ops.DropTableOp, ops.DropColumnOp, ops.DropIndexOp, ops.DropConstraintOp)
COMPARED = {
    "include_schemas": True,
    # Alembic lets the server compare defaults with `=`, which the type json does not have.
    "autogenerate_plugins": ["alembic.autogenerate.*", "~alembic.autogenerate.defaults"],
}
PRIMARY_KEY_COLUMN = re.compile(r'"(?:[^"]|"")*"|(?<=[(\s])\w+(?=[,)])')


def parts(
    connection: Connection, metadata: MetaData, wanted: Catalog, *, plain: bool = False
) -> Iterator[Part]:
    """The parts of a change. Apply each to this scratch database before asking for the next.

    With `plain`, there are as few parts as possible, even if they block others.
    """
    before = catalog(connection)
    difference = compare(before, wanted)
    if values := list(new_values(difference)):
        yield Part(values)  # A transaction cannot use an enum's value that it adds.
        difference = compare(catalog(connection), wanted)
    expand, contract = _proposed(connection, metadata, difference)
    expand = [one for one in expand if not _comes_with_a_key(one, difference)]
    if not plain:
        expand = [*with_wider_columns(with_volatile_defaults(connection, expand), before, wanted)]
    expand, contract = (in_order([as_written(one) for one in each]) for each in (expand, contract))
    with undone(connection):
        expand = [*prerequisites(difference), *expand]
        # Constraints before columns: PostgreSQL would drop them with a column, and nothing would
        # tell the downgrade to make them again.
        contract = [*removals(connection, _rules(difference)), *contract]
        expand += _left_over(connection, expand, wanted, additions)
        contract += _left_over(connection, contract, wanted, removals)
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
    """Objects that the models no longer have. Each drop has to be accepted by its name."""
    return sorted(difference.extra)


def proposed_by_alembic(
    connection: Connection, metadata: MetaData, **options: Any
) -> list[Operation]:
    context = MigrationContext.configure(
        connection, opts={"target_metadata": metadata, **COMPARED, **options}
    )
    reflect = context.impl.autogen_column_reflect

    def reflect_or_leave(inspector: object, table: object, column: object) -> None:
        """Call Alembic's hook; ignore its error for a sequence that is in another schema."""
        with suppress(DBAPIError), connection.begin_nested():
            reflect(inspector, table, column)  # type: ignore[no-untyped-call]

    context.impl.autogen_column_reflect = reflect_or_leave  # type: ignore[method-assign]
    with catch_warnings():
        simplefilter("ignore")  # SQLAlchemy warns of unknown types, which the catalog compares.
        script = produce_migrations(context, metadata)
    return list(_flat(script.upgrade_ops.ops if script.upgrade_ops else ()))


def is_drop(operation: Operation) -> bool:
    return isinstance(operation, DROPS)


def enum_as_it_is(kind: str, item: object, context: Any) -> str | bool:
    """Render a type so that no table creates it: an enum gets a statement of its own.

    A type decorator becomes its `impl`: only the service converts values.
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
    """Return Alembic's operations for the difference, and no others."""
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
            continue  # The comparison of catalogs adds the constraints of existing tables.
        (contract if is_drop(operation) and subject.is_in(difference.extra) else expand).append(
            operation
        )
    return expand, contract


def _rules(difference: Difference) -> Difference:
    """The constraints to drop that Alembic does not compare."""
    kinds = {"check constraint", "exclusion constraint"}
    return Difference(extra={k: made for k, made in difference.extra.items() if k.kind in kinds})


@dataclass(frozen=True, slots=True)
class _Subject:
    """The object that an operation of Alembic changes."""

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
    """Try the operations; return statements for the differences that remain."""
    run = Operations(MigrationContext.configure(connection))
    try:
        for operation in operations:
            run.invoke(operation)
        statements = list(write(connection, compare(catalog(connection), wanted)))
        for statement in statements:
            run.invoke(statement)
    except DBAPIError:  # The trial of the revision will report the error.
        return []
    return statements


def _comes_with_a_key(operation: Operation, difference: Difference) -> bool:
    """NOT NULL of a new primary key's column: a downgrade could not drop it before the key."""
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


def _flat(operations: Iterable[Operation]) -> Iterator[Operation]:
    for operation in operations:
        if isinstance(operation, ops.ModifyTableOps):
            yield from _flat(operation.ops)
        else:
            yield operation

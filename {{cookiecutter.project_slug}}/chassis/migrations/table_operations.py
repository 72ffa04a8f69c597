"""Alembic's operations on tables, as a revision will have them, and in an order that works."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from copy import copy
from typing import Any

from alembic.operations import ops
from sqlalchemy import ARRAY, CheckConstraint, Column, Enum, ForeignKeyConstraint
from sqlalchemy.dialects.postgresql import ENUM, dialect
from sqlalchemy.exc import NoReferencedTableError
from sqlalchemy.schema import AddConstraint, DropConstraint

from chassis.migrations.safe_forms import Relation, relation_of
from chassis.migrations.table_statements import Operation, Statement


def as_written(operation: Operation) -> Operation:
    """Change the operation to what Alembic writes of it, so that a trial does the same.

    Alembic leaves out what belongs to a column: its checks, its indexes, the creation of its enum.
    The checks of a new table's columns become the table's; other differences are found later.
    """
    if isinstance(operation, ops.AddColumnOp):
        operation.column = _bare(operation.column)
    elif table := _table(operation):
        checks = [check._copy() for check in _checks(table.columns)]  # noqa: SLF001  # As Alembic does.
        bare = [_bare(one) if isinstance(one, Column) else one for one in table.columns]
        table.columns = [*bare, *checks]
    return operation


def _table(operation: Operation) -> ops.CreateTableOp | None:
    """The table that the operation or its reverse creates."""
    if isinstance(operation, ops.DropTableOp):
        return operation._reverse  # noqa: SLF001  # No public attribute has the table.
    return operation if isinstance(operation, ops.CreateTableOp) else None


def _checks(parts: Iterable[Any]) -> Iterator[CheckConstraint]:
    for column in parts:
        if isinstance(column, Column):
            yield from (one for one in column.constraints if isinstance(one, CheckConstraint))


def _bare(column: Column[Any]) -> Column[Any]:
    bare = column._copy()  # noqa: SLF001  # Alembic copies columns in the same way.
    bare.constraints = {one for one in bare.constraints if not isinstance(one, CheckConstraint)}
    bare.index = bare.unique = None
    bare.type = _not_created(bare.type)
    return bare._copy()  # noqa: SLF001  # The new copy has no event listeners of the old type.


def _not_created(kind: Any) -> Any:
    """The type in a form that a table neither creates nor drops."""
    if isinstance(kind, ARRAY):
        kind = copy(kind)
        kind.item_type = _not_created(kind.item_type)
    if isinstance(kind, Enum) and kind.native_enum and kind.name:
        return ENUM(*kind.enums, name=kind.name, schema=kind.schema, create_type=False)
    return kind


def in_order(operations: Sequence[Operation]) -> list[Operation]:
    """Put creations before and drops after all else, as their foreign keys demand.

    A foreign key to a table that is created later is left out: the comparison of catalogs adds it.
    """
    new = {relation_of(one) for one in operations if isinstance(one, ops.CreateTableOp)}
    for operation in operations:
        if isinstance(operation, ops.CreateTableOp):
            new.discard(relation_of(operation))
            operation.columns = [
                one
                for one in operation.columns
                if _referred(one) not in new and not getattr(one, "use_alter", False)
            ]
    return _with_drops_last(operations)


def _with_drops_last(operations: Sequence[Operation]) -> list[Operation]:
    """Put drops of tables last, a table before those that it refers to.

    The other operations on a dropped table stay with its drop. In a circle of tables, the keys to
    one of them are dropped first.
    """
    left = {relation_of(one): _table(one) for one in operations if isinstance(one, ops.DropTableOp)}
    opened: list[Operation] = []
    rank: dict[Relation | None, int] = {}
    while left:
        referred = {_referred(key) for own, table in left.items() for key in _keys(table, own)}
        free = [relation for relation in left if relation not in referred]
        [dropped, *_] = free or left
        if not free:
            opened += [
                _opened(table, key)
                for own, table in left.items()
                for key in _keys(table, own)
                if _referred(key) == dropped
            ]
        rank[dropped] = len(rank)
        del left[dropped]
    others = [one for one in operations if relation_of(one) not in rank]
    last = [one for one in operations if relation_of(one) in rank]
    return [*opened, *others, *sorted(last, key=lambda one: rank[relation_of(one)])]


def _keys(table: ops.CreateTableOp | None, own: Relation | None) -> Iterator[ForeignKeyConstraint]:
    """The foreign keys of a table to others."""
    for one in table.columns if table else ():
        if isinstance(one, ForeignKeyConstraint) and _referred(one) != own:
            yield one


def _referred(part: Any) -> Relation | None:
    """The table of a foreign key; None for other parts, and for a table that stays as it is."""
    if isinstance(part, ForeignKeyConstraint):
        with suppress(NoReferencedTableError):
            return part.referred_table.schema or "", part.referred_table.name
    return None


def _opened(table: Any, key: ForeignKeyConstraint) -> Statement:
    """Drop the key, so that the table is dropped and created without it."""
    table.columns = [one for one in table.columns if one is not key]
    forward, back = (
        str(made.compile(dialect=dialect()))  # type: ignore[no-untyped-call]
        for made in (DropConstraint(key), AddConstraint(key))
    )
    return Statement(forward, back)

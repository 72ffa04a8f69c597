"""The safe forms of changes to tables in use: steps that block nobody for long.

An index is built concurrently, a constraint is added unvalidated and validated afterwards, NOT NULL
comes by way of a CHECK, a unique constraint by way of an index; and each table is locked alone.
https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-NOTES
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from alembic.autogenerate import renderers
from alembic.operations import ops

from chassis.maintenance.declarations import CONTRACT
from chassis.migrations.table_statements import (
    ConstraintStatement,
    NarrowedCheck,
    Operation,
    Part,
    Removal,
    Statement,
    qualified,
    quote,
)
from chassis.migrations.volatile_defaults import IMPORT, VolatileColumnOp
from chassis.migrations.wider_columns import WiderColumn

UNIQUE = re.compile(r'UNIQUE \(((?:[^()"]|"[^"]*")*)\)$')
COLUMN = re.compile(r'"((?:[^"]|"")*)"|(\w+)')
Relation = tuple[str, str]


class ConcurrentIndexOp(ops.CreateIndexOp):
    @classmethod
    def of(cls, index: ops.CreateIndexOp) -> "ConcurrentIndexOp":
        options = {"schema": index.schema, "unique": index.unique, **index.kw}
        return cls(index.index_name, index.table_name, index.columns, **options)

    def reverse(self) -> "ConcurrentDropOp":
        name = self.index_name or ""
        return ConcurrentDropOp(name, self.table_name, schema=self.schema, _reverse=self)


class ConcurrentDropOp(ops.DropIndexOp):
    @classmethod
    def of(cls, index: ops.DropIndexOp) -> "ConcurrentDropOp":
        # With the index's options: without them, the reverse would create another index.
        options = {"schema": index.schema, "_reverse": index.reverse(), **index.kw}
        return cls(index.index_name or "", index.table_name, **options)

    def reverse(self) -> ops.CreateIndexOp:
        return ConcurrentIndexOp.of(super().reverse())


@renderers.dispatch_for(ConcurrentIndexOp)
def _render_index(context: Any, operation: ConcurrentIndexOp) -> str:
    context.imports.add(IMPORT)
    rendered: str = renderers.dispatch(ops.CreateIndexOp)(context, operation)
    return rendered.replace("op.create_index(", "operations.create_index_concurrently(", 1)


@renderers.dispatch_for(ConcurrentDropOp)
def _render_drop(context: Any, operation: ConcurrentDropOp) -> str:
    context.imports.add(IMPORT)
    arguments = [repr(str(operation.index_name)), repr(str(operation.table_name))]
    arguments += [f"schema={operation.schema!r}"] if operation.schema else []
    return f"operations.drop_index_concurrently({', '.join(arguments)})"


@dataclass(slots=True)
class _Steps:
    """The steps, in groups that have to follow each other."""

    made: list[Operation] = field(default_factory=list)
    at_once: dict[Relation, list[Operation]] = field(default_factory=lambda: defaultdict(list))
    unindexed: list[Operation] = field(default_factory=list)  # Runs before the columns are dropped.
    alone: list[Operation] = field(default_factory=list)
    validated: list[Operation] = field(default_factory=list)
    removed: list[Operation] = field(default_factory=list)
    contracting: dict[Relation, list[list[Operation]]] = field(
        default_factory=lambda: defaultdict(lambda: [[], [], []])
    )

    def contract(self, relation: Relation, parts: Iterable[Sequence[Operation]]) -> None:
        for step, part in zip(self.contracting[relation], parts, strict=False):
            step.extend(part)


def in_steps(operations: Sequence[Operation], in_use: set[Relation], phase: str) -> Iterator[Part]:
    """The steps. `in_use` are the tables of earlier revisions, except partitioned ones."""
    steps = _Steps()
    dropped = {relation_of(one) for one in operations if isinstance(one, ops.DropTableOp)}
    for operation in operations:
        relation = relation_of(operation)
        if relation and relation in dropped:  # The table's indexes go with it.
            steps.at_once[relation].append(operation)
        elif isinstance(operation, Removal):
            steps.removed.append(operation)
        else:
            _sort(operation, in_use, steps)
    together = [steps.made, *steps.at_once.values()]
    before, after = ([[each] for each in some] for some in (steps.unindexed, steps.alone))
    every = [*before, *together, *after, steps.validated, steps.removed]
    yield from (Part(each, phase) for each in every if each)
    for contracting in steps.contracting.values():
        yield from (Part(each, CONTRACT) for each in contracting if each)


def _sort(operation: Operation, in_use: set[Relation], steps: _Steps) -> None:
    relation = relation_of(operation)
    match operation:
        case _ if relation is None or relation not in in_use:
            steps.made.append(operation)
        case VolatileColumnOp(steps=(column, default, fill), not_null=not_null):
            steps.at_once[relation].append(column)
            steps.alone += [default, fill]
            steps.contract(relation, _not_null(not_null))
        case ops.CreateIndexOp():
            steps.alone.append(ConcurrentIndexOp.of(operation))
        case ops.DropIndexOp():
            steps.unindexed.append(ConcurrentDropOp.of(operation))
        case WiderColumn() | ConstraintStatement(kind="check constraint" | "foreign key"):
            steps.at_once[relation].append(operation.unvalidated())
            steps.validated += operation.validations()
        case ConstraintStatement(kind="unique constraint", definition=definition):
            _sort_unique(operation, UNIQUE.match(definition), steps)
        case NarrowedCheck(steps=parts):
            steps.contract(relation, parts)
        case ops.AlterColumnOp(modify_nullable=False, modify_type=None):
            steps.contract(relation, _not_null(operation))
        case _:
            steps.at_once[relation].append(operation)


def _sort_unique(
    operation: ConstraintStatement, columns: re.Match[str] | None, steps: _Steps
) -> None:
    if not columns or not operation.relation:  # For example a constraint with NULLS NOT DISTINCT.
        steps.made.append(operation)
        return
    names = [quoted or plain for quoted, plain in COLUMN.findall(columns[1])]
    schema, table = operation.relation
    index = ConcurrentIndexOp(operation.name, table, names, schema=schema or None, unique=True)
    steps.alone += [index, operation.using_index()]


def _not_null(operation: ops.AlterColumnOp | None) -> Iterator[list[Operation]]:
    """NOT NULL by way of a validated CHECK: then PostgreSQL does not read the table."""
    if operation is None:
        return
    table = qualified(operation.schema or "", operation.table_name)
    name = quote(f"ck_{operation.table_name}_{operation.column_name}_not_null"[:63])
    condition = f"CHECK ({quote(operation.column_name)} IS NOT NULL)"
    drop = f"ALTER TABLE {table} DROP CONSTRAINT {name}"
    add = f"ALTER TABLE {table} ADD CONSTRAINT {name} {condition} NOT VALID"
    yield [Statement(add, drop)]
    yield [Statement(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}", "")]
    yield [operation, Statement(drop, f"{add}; ALTER TABLE {table} VALIDATE CONSTRAINT {name}")]


def relation_of(operation: Any) -> Relation | None:
    if isinstance(operation, Statement):
        return operation.relation
    table = getattr(operation, "table_name", None)
    return (operation.schema or "", table) if table else None

"""Lists that belong to an entity: rows of another table, loaded and saved with the entity."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Connection, Table, bindparam

from chassis.core.errors import DeclarationError
from chassis.postgres.columns import require_fit
from chassis.postgres.fast.rows import entity_maker

POSITION = "position"


@dataclass(frozen=True, slots=True)
class Children:
    """The list `field` of an entity: of objects of type `of`, or of single values such as ids.

    The table has a column that refers to the entity, with ON DELETE CASCADE. Its other columns are
    the fields of `of`. With a column `position`, the list keeps its order; single values without
    one are a set, each once. A changed list is deleted and inserted as a whole, so no other table
    may refer to its rows.
    """

    field: str
    table: Table
    of: type | None = None

    def require_fit(self, parent: Table, entity_type: type) -> None:
        """Raise DeclarationError where a row of the table would be no item of the list."""
        names, kind = _shape(self.table, parent).names, entity_type.__name__
        if self.field not in entity_type.__dataclass_fields__:  # type: ignore[attr-defined]
            raise DeclarationError(
                f"{kind} has no field {self.field!r}, which `children` of its repository names."
            )
        if self.of is not None:
            require_fit(self.table, self.of, also=set(self.table.c.keys()) - set(names))
        elif len(names) != 1:
            raise DeclarationError(
                f"{self.table.name} has {len(names)} values in a row ({', '.join(names)}), so "
                f"{kind}.{self.field} needs Children(…, of=) with the class that has these fields."
            )

    def loaded(self, connection: Connection, parent: Table, ids: Sequence[UUID]) -> "Lists":
        """The lists of several entities, loaded with one statement."""
        shape = _shape(self.table, parent)
        lists: Lists = defaultdict(list)
        for parent_id, *row in connection.execute(shape.select, {"ids": ids}).all():
            lists[parent_id].append(tuple(row))
        return lists

    def made(self, parent: Table, rows: Sequence[tuple[Any, ...]]) -> list[Any]:
        if self.of is None:
            return [value for (value,) in rows]
        return [*map(entity_maker(self.of, _shape(self.table, parent).names), rows)]

    def rows(self, parent: Table, entity: object) -> list[tuple[Any, ...]]:
        """The rows for the list of an entity as it is now."""
        names, values = _shape(self.table, parent).names, getattr(entity, self.field)
        if self.of is None:
            ordered = values if POSITION in self.table.c else sorted(set(values))
            return [(value,) for value in ordered]
        return [tuple(attrgetter(name)(value) for name in names) for value in values]

    def insert(
        self, connection: Connection, parent: Table, entity_id: UUID, rows: list[tuple[Any, ...]]
    ) -> None:
        shape = _shape(self.table, parent)
        place = [POSITION] if POSITION in self.table.c else []
        values = [
            {shape.reference.name: entity_id, **dict.fromkeys(place, number)}
            | dict(zip(shape.names, row, strict=True))
            for number, row in enumerate(rows)
        ]
        if values:
            connection.execute(self.table.insert(), values)

    def replace(
        self, connection: Connection, parent: Table, entity_id: UUID, rows: list[tuple[Any, ...]]
    ) -> None:
        connection.execute(_shape(self.table, parent).delete, {"id": entity_id})
        self.insert(connection, parent, entity_id, rows)


Lists = defaultdict[UUID, list[tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class _Shape:
    reference: Column[Any]
    names: tuple[str, ...]
    select: Any
    delete: Any


@cache
def _shape(table: Table, parent: Table) -> _Shape:
    """The columns of the table. Raise DeclarationError unless exactly one refers to the entity."""
    references = [
        column
        for column in table.c
        if any(key.column.table is parent for key in column.foreign_keys)
    ]
    if len(references) != 1:
        raise DeclarationError(
            f"{table.name} has {len(references)} columns that refer to {parent.name}, and needs "
            'exactly one: Column("…_id", ForeignKey(…, ondelete="CASCADE")).'
        )
    [reference] = references
    own = [column for column in table.c if column is not reference and column.name != POSITION]
    order = [table.c[POSITION]] if POSITION in table.c else own
    listed = reference.in_(bindparam("ids", expanding=True))
    return _Shape(
        reference,
        tuple(str(column.name) for column in own),
        table.select().with_only_columns(reference, *own).where(listed).order_by(*order),
        table.delete().where(reference == bindparam("id")),
    )

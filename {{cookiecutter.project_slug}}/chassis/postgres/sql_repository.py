from dataclasses import dataclass
from functools import cache
from typing import Any, Generic
from uuid import UUID

from sqlalchemy import Connection, Delete, Insert, Row, Select, Table, Update, bindparam

from chassis.core.attempt import note_saved, require
from chassis.core.errors import ConflictError, NotFoundError
from chassis.core.paging import PageQuery
from chassis.core.persistence import Entity, Repository
from chassis.postgres.keyset import page_statement, page_values

STALE = "It was changed or removed by somebody else in the meantime."


@dataclass(frozen=True, slots=True)
class _Statements:
    """Built once a table: building one costs more than running it."""

    get: Select[Any]
    insert: Insert
    update: Update
    delete: Delete


@cache
def _statements(table: Table) -> _Statements:
    unchanged = (table.c.id == bindparam("old_id")) & (table.c.version == bindparam("old_version"))
    return _Statements(
        get=table.select().where(table.c.id == bindparam("id")),
        insert=table.insert(),
        update=table.update().where(unchanged),
        delete=table.delete().where(unchanged),
    )


class SqlRepository(Repository[Entity], Generic[Entity]):
    """A column carries the name of the entity's field; statements name columns in their order."""

    def __init__(self, connection: Connection, table: Table, entity_type: type[Entity]) -> None:
        self._connection = connection
        self._table = table
        self._entity_type = entity_type
        self._names = table.columns.keys()
        self._statements = _statements(table)

    def get(self, entity_id: UUID) -> Entity:
        row = self._connection.execute(self._statements.get, {"id": entity_id}).first()
        if row is None:
            raise NotFoundError(f"There is no {self._entity_type.__name__.lower()} {entity_id}.")
        entity = self._entity(row)
        require(entity_id, entity.version, entity)
        return entity

    def page(self, query: PageQuery) -> list[Entity]:
        statement = page_statement(self._table, query)
        return [
            self._entity(row)
            for row in self._connection.execute(statement, page_values(query)).all()
        ]

    def add(self, entity: Entity) -> None:
        self._connection.execute(self._statements.insert, self._values(entity))

    def save(self, entity: Entity) -> None:
        values = self._values(entity) | {"version": entity.version + 1}
        self._change(self._statements.update, entity, values)
        entity.version += 1
        note_saved(entity.id, entity.version)

    def remove(self, entity: Entity) -> None:
        self._change(self._statements.delete, entity, {})

    def _change(self, statement: Update | Delete, entity: Entity, values: dict[str, Any]) -> None:
        require(entity.id, entity.version)
        unchanged = {"old_id": entity.id, "old_version": entity.version}
        if self._connection.execute(statement, values | unchanged).rowcount != 1:
            require(entity.id, entity.version + 1)  # Whatever it is now, it is not what was read.
            raise ConflictError(STALE)

    def _values(self, entity: Entity) -> dict[str, Any]:
        return {name: getattr(entity, name) for name in self._names}

    def _entity(self, row: Row[Any]) -> Entity:
        # Not through __init__: a rule that was tightened must not make older rows unreadable.
        entity = object.__new__(self._entity_type)
        for name, value in zip(self._names, row, strict=True):
            setattr(entity, name, value)
        return entity

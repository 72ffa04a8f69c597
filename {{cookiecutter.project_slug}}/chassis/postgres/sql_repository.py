from dataclasses import dataclass
from functools import cache
from typing import Any, Generic
from uuid import UUID

from sqlalchemy import Connection, Table, bindparam

from chassis.core.attempt import note_saved, require
from chassis.core.errors import ConflictError, NotFoundError
from chassis.core.paging import PageQuery
from chassis.core.persistence import Entity, Repository
from chassis.postgres.fast.rows import entity_maker
from chassis.postgres.fast.statements import Statement
from chassis.postgres.keyset import page_statement, page_values

STALE = "It was changed or removed by somebody else in the meantime."


@dataclass(frozen=True, slots=True)
class _Statements:
    """Built once a table: building one costs more than running it."""

    names: tuple[str, ...]
    get: Statement
    insert: Statement
    update: Statement
    delete: Statement


@cache
def _statements(table: Table) -> _Statements:
    unchanged = (table.c.id == bindparam("old_id")) & (table.c.version == bindparam("old_version"))
    return _Statements(
        names=tuple(map(str, table.columns.keys())),  # SQLAlchemy's names are no plain str.
        get=Statement(table.select().where(table.c.id == bindparam("id"))),
        insert=Statement(table.insert()),
        update=Statement(table.update().where(unchanged)),
        delete=Statement(table.delete().where(unchanged)),
    )


class SqlRepository(Repository[Entity], Generic[Entity]):
    """A column carries the name of the entity's field; statements name columns in their order."""

    def __init__(self, connection: Connection, table: Table, entity_type: type[Entity]) -> None:
        self._connection = connection
        self._table = table
        self._entity_type = entity_type
        self._statements = _statements(table)
        self._entity = entity_maker(entity_type, self._statements.names)

    def get(self, entity_id: UUID) -> Entity:
        rows = self._statements.get.rows(self._connection, {"id": entity_id})
        if not rows:
            raise NotFoundError(f"There is no {self._entity_type.__name__.lower()} {entity_id}.")
        entity: Entity = self._entity(rows[0])
        require(entity_id, entity.version, entity)
        return entity

    def page(self, query: PageQuery) -> list[Entity]:
        statement = page_statement(self._table, query)
        return [*map(self._entity, statement.rows(self._connection, page_values(query)))]

    def entities(self, statement: Statement, **values: Any) -> list[Entity]:
        """Those that a named query finds: it selects from the table, and names its columns so."""
        return [*map(self._entity, statement.rows(self._connection, values))]

    def add(self, entity: Entity) -> None:
        self._statements.insert.row_count(self._connection, self._values(entity))

    def save(self, entity: Entity) -> None:
        values = self._values(entity) | {"version": entity.version + 1}
        self._change(self._statements.update, entity, values)
        entity.version += 1
        note_saved(entity.id, entity.version)

    def remove(self, entity: Entity) -> None:
        self._change(self._statements.delete, entity, {})

    def _change(self, statement: Statement, entity: Entity, values: dict[str, Any]) -> None:
        require(entity.id, entity.version)
        unchanged = {"old_id": entity.id, "old_version": entity.version}
        if statement.row_count(self._connection, values | unchanged) != 1:
            require(entity.id, entity.version + 1)  # Whatever it is now, it is not what was read.
            raise ConflictError(STALE)

    def _values(self, entity: Entity) -> dict[str, Any]:
        return {name: getattr(entity, name) for name in self._statements.names}

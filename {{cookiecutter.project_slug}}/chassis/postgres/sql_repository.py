from collections.abc import Callable, Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import Any, ClassVar, Generic, Self
from uuid import UUID

from sqlalchemy import Connection, Table, bindparam, literal_column, select
from sqlalchemy.exc import IntegrityError

from chassis.core.attempt import note_saved, require
from chassis.core.errors import ConflictError, DeclarationError, NotFoundError
from chassis.core.paging import PageQuery
from chassis.core.persistence import STALE, Clock, Entity, Repository
from chassis.postgres.children import Children
from chassis.postgres.columns import require_fit
from chassis.postgres.error_translation import note_unique_fields, reference_error
from chassis.postgres.fast.rows import entity_maker
from chassis.postgres.fast.statements import Statement
from chassis.postgres.keyset import page_statement, page_values

MOST_AT_ONCE = 1000  # Ids per statement.


@dataclass(frozen=True, slots=True)
class _Statements:
    """The statements of a table, built once: building one costs more than running it."""

    names: tuple[str, ...]
    values: Callable[[Any], tuple[Any, ...]]
    get: Statement
    lock: Statement
    exists: Statement
    many: Statement
    lock_many: Statement
    insert: Statement
    update: Statement
    delete: Statement


@cache
def _statements(table: Table, only: tuple[str, ...]) -> _Statements:
    restrictions = [table.c[name] == bindparam(f"only_{name}") for name in only]
    this = (table.c.id == bindparam("id"), *restrictions)
    these = (table.c.id.in_(bindparam("ids", expanding=True)), *restrictions)
    unchanged = (
        table.c.id == bindparam("old_id"),
        table.c.version == bindparam("old_version"),
        *restrictions,
    )
    # In the order of ids, so that two transactions wait and do not deadlock.
    many = table.select().where(*these).order_by(table.c.id)
    names = tuple(map(str, table.columns.keys()))  # SQLAlchemy's names are a subclass of str.
    return _Statements(
        names=names,
        values=attrgetter(*names),  # At least two: id and version.
        get=Statement(table.select().where(*this)),
        lock=Statement(table.select().where(*this).with_for_update()),
        exists=Statement(select(literal_column("1")).select_from(table).where(*this)),
        many=Statement(many),
        lock_many=Statement(many.with_for_update()),
        insert=Statement(table.insert()),
        update=Statement(table.update().where(*unchanged)),
        delete=Statement(table.delete().where(*unchanged)),
    )


@cache
def _require_fit(table: Table, entity_type: Any, children: tuple[Children, ...]) -> None:
    require_fit(table, entity_type, [child.field for child in children])
    for child in children:
        child.require_fit(table, entity_type)


@cache
def _finding(table: Table, names: tuple[str, ...]) -> Statement:
    return Statement(table.select().where(*(table.c[name] == bindparam(name) for name in names)))


class SqlRepository(Repository[Entity], Generic[Entity]):
    """A repository on a table whose columns have the names of the entity's fields.

    A subclass declares the lists of its entity in `children`. One more statement loads each of
    these lists for all entities.
    """

    children: ClassVar[tuple[Children, ...]] = ()

    def __init__(
        self,
        connection: Connection,
        table: Table,
        entity_type: type[Entity],
        clock: Clock | None = None,
    ) -> None:
        """`clock` is required for a table with `created_at` or `updated_at`."""
        self._connection = connection
        self._table = table
        self._entity_type = entity_type
        self._clock = clock
        self._only: dict[str, Any] = {}
        self._restriction: dict[str, Any] = {}  # The same, in the form that statements use.
        _require_fit(table, entity_type, self.children)
        self._statements = _statements(table, ())
        self._make = entity_maker(entity_type, self._statements.names)
        # The lists as they were loaded.
        self._lists: dict[tuple[str, UUID], list[tuple[Any, ...]]] = {}

    def where(self, **values: Any) -> Self:
        narrowed = copy(self)
        narrowed._narrow(self._only | values)  # noqa: SLF001
        return narrowed

    def _narrow(self, only: dict[str, Any]) -> None:
        self._only = only
        self._restriction = {f"only_{name}": value for name, value in only.items()}
        self._statements = _statements(self._table, tuple(only))

    def get(self, entity_id: UUID, *, lock: bool = False) -> Entity:
        statement = self._statements.lock if lock else self._statements.get
        rows = statement.rows(self._connection, {"id": entity_id, **self._restriction})
        if not rows:
            raise NotFoundError.of(self._entity_type, entity_id)
        [entity] = self._entities(rows)
        require(entity_id, entity.version, entity)
        return entity

    def get_many(self, ids: Iterable[UUID], *, lock: bool = False) -> dict[UUID, Entity]:
        statement = self._statements.lock_many if lock else self._statements.many
        wanted, by_id = sorted(set(ids)), dict[UUID, Entity]()
        for begin in range(0, len(wanted), MOST_AT_ONCE):
            values = {"ids": wanted[begin : begin + MOST_AT_ONCE], **self._restriction}
            entities = self._entities(statement.rows(self._connection, values))
            by_id |= {entity.id: entity for entity in entities}
        return by_id

    def exists(self, entity_id: UUID) -> bool:
        values = {"id": entity_id, **self._restriction}
        return bool(self._statements.exists.rows(self._connection, values))

    def find(self, **values: Any) -> Entity | None:
        wanted = self._only | values
        statement = _finding(self._table, tuple(wanted))
        entities = self._entities(statement.rows(self._connection, wanted))
        return entities[0] if entities else None

    def page(self, query: PageQuery) -> list[Entity]:
        narrowed = query.narrow(**self._only) if self._only else query
        statement = page_statement(self._table, narrowed)
        return self._entities(statement.rows(self._connection, page_values(narrowed)))

    def entities(self, statement: Statement, **values: Any) -> list[Entity]:
        """The entities of this repository that a query finds.

        The query has to select the table's columns by their names. Entities that `where` leaves out
        are dropped afterwards, so a query with a LIMIT needs the same conditions itself.
        """
        entities = self._entities(statement.rows(self._connection, values))
        return [one for one in entities if self._has(one)]

    def add(self, entity: Entity) -> None:
        self._require_own(entity)
        self._stamp(entity, "created_at", "updated_at")
        try:
            self._statements.insert.row_count(self._connection, self._values(entity))
            for child in self.children:
                rows = self._rows(child, entity)
                child.insert(self._connection, self._table, entity.id, rows)
                self._lists[child.field, entity.id] = rows
        except IntegrityError as error:
            _explain(error, self._references())
            raise

    def save(self, entity: Entity) -> None:
        self._stamp(entity, "updated_at")
        values = self._values(entity) | {"version": entity.version + 1}
        try:
            self._change(self._statements.update, entity, values)
            for child in self.children:
                rows = self._rows(child, entity)
                if rows != self._lists.get((child.field, entity.id)):
                    child.replace(self._connection, self._table, entity.id, rows)
                    self._lists[child.field, entity.id] = rows
        except IntegrityError as error:
            _explain(error, self._references())
            raise
        entity.version += 1
        note_saved(entity.id, entity.version)

    def remove(self, entity: Entity) -> None:
        try:
            self._change(self._statements.delete, entity, {})
        except IntegrityError as error:
            _explain(error, {})
            raise

    def _change(self, statement: Statement, entity: Entity, values: dict[str, Any]) -> None:
        require(entity.id, entity.version)
        unchanged = {"old_id": entity.id, "old_version": entity.version, **self._restriction}
        if statement.row_count(self._connection, values | unchanged) != 1:
            require(entity.id, entity.version + 1)  # The row has changed or gone.
            raise ConflictError(STALE)

    def _values(self, entity: Entity) -> dict[str, Any]:
        return dict(zip(self._statements.names, self._statements.values(entity), strict=True))

    def _entities(self, rows: Sequence[Sequence[Any]]) -> list[Entity]:
        entities: list[Entity] = [*map(self._make, rows)]
        for child in self.children if entities else ():
            ids = [entity.id for entity in entities]
            lists = child.loaded(self._connection, self._table, ids)
            for entity in entities:
                members = self._lists[child.field, entity.id] = lists[entity.id]
                setattr(entity, child.field, child.made(self._table, members))
        return entities

    def _rows(self, child: Children, entity: Entity) -> list[tuple[Any, ...]]:
        """The rows of a list. The entity gets single values (ids) as a read returns them."""
        rows = child.rows(self._table, entity)
        if child.of is None:
            setattr(entity, child.field, child.made(self._table, rows))
        return rows

    def _stamp(self, entity: Entity, *names: str) -> None:
        stamped = [name for name in names if name in self._statements.names]
        if stamped:
            if self._clock is None:
                raise DeclarationError(
                    f"{self._table.name} has {stamped[0]}: its repository needs a clock."
                )
            now = self._clock.now()
            for name in stamped:
                setattr(entity, name, now)

    @property
    def lacks_clock(self) -> bool:
        """Whether `add` and `save` would fail, because the stamps of the table need a clock."""
        return (
            self._clock is None
            and not {"created_at", "updated_at"}.isdisjoint(self._statements.names)
            and type(self)._stamp is SqlRepository._stamp  # noqa: SLF001
        )

    def _has(self, entity: Entity) -> bool:
        return all(getattr(entity, name) == value for name, value in self._only.items())

    def _require_own(self, entity: Entity) -> None:
        if not self._has(entity):
            names = " and ".join(self._only)
            raise ValueError(f"The entity has another {names} than this repository.")

    def _references(self) -> dict[Table, str | None]:
        """The written tables, each with the field of its list."""
        return {self._table: None, **{child.table: child.field for child in self.children}}


def _explain(error: IntegrityError, tables: dict[Table, str | None]) -> None:
    """Raise the domain's error for a violated foreign key; note the fields of a unique key."""
    note_unique_fields(error, tables)
    if explained := reference_error(error, tables):
        raise explained from error

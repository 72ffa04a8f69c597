"""In-memory fakes of the ports to a database; they pass the contract suite of the real ones."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy, deepcopy
from dataclasses import fields
from datetime import UTC, datetime
from operator import attrgetter
from threading import RLock
from types import MappingProxyType
from typing import Any, NoReturn, Self, get_type_hints
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, MetaData, Table, UniqueConstraint

from chassis.core.attempt import note_committed, note_saved, require
from chassis.core.commit_hooks import CommitHooks
from chassis.core.errors import ConflictError, DuplicateError, NotFoundError, ValidationError
from chassis.core.model import declarations
from chassis.core.paging import Comparison, PageQuery
from chassis.core.persistence import (
    NESTED,
    STALE,
    Clock,
    Entity,
    IdempotentTransaction,
    Repository,
    StoredResponse,
    Transaction,
    UnitOfWorkFactory,
)
from chassis.development.testing.memory_jobs import MemoryJobs
from chassis.postgres.stored_files import stored_files
from chassis.project import current_project


class StoppedClock(Clock):
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment


class _UniqueViolationError(Exception):
    """A unique value exists already; the names are those of the fields."""


class MemoryRepository(Repository[Entity]):
    """A repository in memory. It copies entities, so that a test notices a forgotten `save`.

    Unique constraints and foreign keys are those of `table`; `tables` are the rows of all tables,
    by name.
    """

    def __init__(
        self,
        entities: Any,
        table: Table | None = None,
        tables: Mapping[str, Any] | None = None,
        clock: Clock | None = None,
        metadata: MetaData | None = None,
    ) -> None:
        """`metadata` has the tables that may refer to this one; without it, `table`'s own."""
        self._entities = entities
        self._metadata = metadata
        self._table = table
        self._tables: Mapping[str, Any] = tables or {}
        self._clock = clock or StoppedClock()
        self._only: dict[str, Any] = {}
        # The unit of work ends with the first of these errors, even if its block goes on.
        self.refusals: list[Exception] = []

    def where(self, **values: Any) -> Self:
        narrowed = copy(self)
        narrowed._only = {**self._only, **values}
        return narrowed

    def get(self, entity_id: UUID, *, lock: bool = False) -> Entity:
        del lock
        if not self.exists(entity_id):
            for one in self._entities.values():
                raise NotFoundError.of(type(one), entity_id)
            raise NotFoundError(f"There is no entity {entity_id}.")
        entity: Entity = deepcopy(self._entities[entity_id])
        require(entity_id, entity.version, entity)
        return entity

    def get_many(self, ids: Iterable[UUID], *, lock: bool = False) -> dict[UUID, Entity]:
        del lock
        return {one: deepcopy(self._entities[one]) for one in sorted(set(ids)) if self.exists(one)}

    def exists(self, entity_id: UUID) -> bool:
        return entity_id in self._entities and _has(self._entities[entity_id], self._only)

    def find(self, **values: Any) -> Entity | None:
        wanted = {**self._only, **values}
        return next((deepcopy(one) for one in self._entities.values() if _has(one, wanted)), None)

    def page(self, query: PageQuery) -> list[Entity]:
        query = query.narrow(**self._only)
        entities = [
            entity
            for entity in self._entities.values()
            if all(self._fulfils(entity, *one) for one in query.where)
        ]
        for key in reversed(query.keys):
            filled = [one for one in entities if getattr(one, key.name) is not None]
            empty = [one for one in entities if getattr(one, key.name) is None]
            filled.sort(key=attrgetter(key.name), reverse=key.descends)
            entities = [*empty, *filled] if key.begins_with_nulls else [*filled, *empty]
        behind = [one for one in entities if _is_behind(query, one)]
        return [deepcopy(entity) for entity in behind[: query.limit]]

    def entities(self, fits: Callable[[Entity], bool]) -> list[Entity]:
        """The entities that fit, the oldest first: for the queries of a subclass."""
        own = (one for one in self._entities.values() if _has(one, self._only) and fits(one))
        return sorted(deepcopy([*own]), key=attrgetter("id"))

    def add(self, entity: Entity) -> None:
        if not _has(entity, self._only):
            raise ValueError("The entity does not belong to this repository.")
        if entity.id in self._entities:
            self._refuse(_UniqueViolationError("id"))
        self._stamp(entity, "created_at", "updated_at")
        self._require_storable(entity)
        self._store(entity)

    def save(self, entity: Entity) -> None:
        self._require_unchanged(entity)
        self._stamp(entity, "updated_at")
        self._require_storable(entity)
        entity.version += 1
        note_saved(entity.id, entity.version)
        self._store(entity)

    def remove(self, entity: Entity) -> None:
        self._require_unchanged(entity)
        if self._table is not None:
            metadata = self._metadata or self._table.metadata
            try:
                _release(self._table, entity.id, self._tables, metadata)
            except ConflictError as error:
                self._refuse(error)
        del self._entities[entity.id]

    def _require_storable(self, entity: Entity) -> None:
        for names in self._unique():
            values = {name: getattr(entity, name) for name in names}
            if None not in values.values() and any(
                _has(one, values) for one in self._entities.values() if one.id != entity.id
            ):
                self._refuse(_UniqueViolationError(*names))
        for key in self._table.foreign_key_constraints if self._table is not None else ():
            name, others = key.column_keys[0], self._tables.get(key.referred_table.name, {})
            value = getattr(entity, name)
            if value is not None and value not in others:
                kind = key.referred_table.name
                reason = f"{name}: None of the {kind} has this id."
                self._refuse(ValidationError(reason, field=name))

    def _refuse(self, error: Exception) -> NoReturn:
        self.refusals.append(error)
        raise error

    def _store(self, entity: Entity) -> None:
        _settle_ids(entity)
        self._entities[entity.id] = deepcopy(entity)

    def _unique(self) -> Iterator[list[str]]:
        if self._table is not None:
            for one in (*self._table.constraints, *self._table.indexes):
                if isinstance(one, UniqueConstraint) or (isinstance(one, Index) and one.unique):
                    yield [column.name for column in one.columns]

    def _fulfils(self, entity: Any, one: Comparison, wanted: Any) -> bool:
        if one.via and self._table is not None:
            [reference] = self._table.c[one.via].foreign_keys
            other = self._tables[reference.column.table.name].get(getattr(entity, one.via))
            return other is not None and self._fulfils(other, one._replace(via=None), wanted)
        value = getattr(entity, one.field)
        if one.operator == "is_set":
            return bool((value is not None) == wanted)
        if value is None:
            return False
        return bool(COMPARED[one.operator](value, wanted))

    def _stamp(self, entity: Entity, *names: str) -> None:
        for name in names:
            if hasattr(entity, name):
                setattr(entity, name, self._clock.now())

    def _require_unchanged(self, entity: Entity) -> None:
        require(entity.id, entity.version)
        stored = self._entities.get(entity.id)
        if stored is None or stored.version != entity.version or not _has(stored, self._only):
            require(entity.id, entity.version + 1)
            raise ConflictError(STALE)


COMPARED: dict[str, Any] = {
    "equal": lambda value, wanted: value == wanted,
    "one_of": lambda value, wanted: value in wanted,
    "at_least": lambda value, wanted: value >= wanted,
    "at_most": lambda value, wanted: value <= wanted,
    "prefix": str.startswith,
}


def _settle_ids(entity: Any) -> None:
    """Make each list of ids a sorted set, as chassis/postgres/children.py does."""
    ruled = declarations(type(entity))
    for name in (field.name for field in fields(entity) if field.name not in ruled):
        value = getattr(entity, name)
        if isinstance(value, list) and all(isinstance(one, UUID) for one in value):
            setattr(entity, name, sorted(set(value)))


def _has(entity: object, values: Mapping[str, Any]) -> bool:
    return all(getattr(entity, name) == value for name, value in values.items())


def _release(table: Table, entity_id: UUID, tables: Mapping[str, Any], metadata: MetaData) -> None:
    """Treat rows that refer to a removed one as the foreign key says: reject, empty, remove."""
    for name, rows in tables.items():
        other = metadata.tables.get(name)
        for key in () if other is None else other.foreign_key_constraints:
            column = key.column_keys[0]
            if key.referred_table is table:
                referring = [row for row in rows.values() if getattr(row, column) == entity_id]
                for row in referring:
                    _follow(key, row, rows, tables)


def _follow(key: ForeignKeyConstraint, row: Any, rows: Any, tables: Mapping[str, Any]) -> None:
    if key.ondelete == "CASCADE":
        _release(key.table, row.id, tables, key.table.metadata)
        rows.pop(row.id, None)
    elif key.ondelete == "SET NULL":
        emptied = deepcopy(row)
        setattr(emptied, key.column_keys[0], None)
        rows[row.id] = emptied
    else:
        raise ConflictError(f"Some {key.table.name} still refer to this.")


def _is_behind(query: PageQuery, entity: object) -> bool:
    if query.after is None:
        return True
    for key, value, old in zip(query.keys, query.position(entity), query.after, strict=True):
        if value != old:
            if value is None or old is None:
                return bool((old is None) == key.begins_with_nulls)
            return bool(value < old) == key.descends
    return False


class MemoryUnitOfWork(Transaction):
    """A unit of work in memory, with the repositories that the project declares."""

    def __init__(
        self,
        tables: dict[str, dict[UUID, Any]],
        factory: "MemoryUnitOfWorkFactory",
        *,
        read_only: bool,
    ) -> None:
        self._tables = tables
        self._factory = factory
        self._read_only = read_only
        self.refusals: list[Exception] = []
        own = get_type_hints(current_project().unit_of_work_type)
        for name in own.keys() - get_type_hints(Transaction):
            setattr(self, name, self.repository(name))
        self.files = self.repository("files", stored_files)
        self.jobs = MemoryJobs(self._tables["jobs"], factory.clock)

    def raise_refusals(self) -> None:
        """Raise the first refusal, even if the block caught it, as PostgreSQL does at COMMIT."""
        for refusal in self.refusals:
            raise refusal

    def repository(self, name: str, table: Table | None = None) -> MemoryRepository[Any]:
        """The repository of that name; by default, its table is the one of the same name."""
        factory = self._factory
        table = factory.metadata.tables.get(name) if table is None else table
        entities = self._tables[name if table is None else table.name]
        twin: type[MemoryRepository[Any]] = factory.twins.get(name, MemoryRepository)
        # In a read-only unit of work, writing through the proxy raises TypeError.
        stored = MappingProxyType(entities) if self._read_only else entities
        made = twin(stored, table, self._tables, factory.clock, factory.metadata)
        made.refusals = self.refusals
        return made


class MemoryIdempotentTransaction(IdempotentTransaction):
    def __init__(self, response: StoredResponse | None) -> None:
        self.response = response

    def store(self, response: StoredResponse) -> None:
        self.response = response


class MemoryUnitOfWorkFactory(UnitOfWorkFactory[Any]):
    """Opens units of work in memory; another thread waits for its turn.

    A repository has its table's name. `twins` are classes for some repositories, by name.
    """

    def __init__(
        self,
        metadata: MetaData | None = None,
        clock: Clock | None = None,
        **twins: type[MemoryRepository[Any]],
    ) -> None:
        """`metadata` has all tables; without it, the project's."""
        self.metadata: MetaData = metadata or current_project().metadata
        self.clock = clock or StoppedClock()
        self.twins = twins
        self._tables: dict[str, dict[UUID, Any]] = defaultdict(dict)
        self._answers: dict[str, StoredResponse | None] = {}
        self._turn = RLock()
        self._busy = False
        self._joined: CommitHooks | None = None

    @contextmanager
    def __call__(self, *, read_only: bool = False) -> Iterator[MemoryUnitOfWork]:
        with self._turn, self._opened(read_only=read_only) as work:
            yield work

    @contextmanager
    def _opened(self, *, read_only: bool) -> Iterator[MemoryUnitOfWork]:
        if self._busy:
            raise RuntimeError(NESTED)
        self._busy = True
        hooks = self._joined or CommitHooks()
        tables = defaultdict(dict, {name: dict(rows) for name, rows in self._tables.items()})
        earlier = len(hooks.actions)
        try:
            work = MemoryUnitOfWork(tables, self, read_only=read_only)
            work.hooks = None if read_only else hooks
            yield work
            work.raise_refusals()
        except BaseException as error:
            del hooks.actions[earlier:]
            if isinstance(error, _UniqueViolationError):
                raise DuplicateError("The value exists already.", fields=error.args) from error
            raise
        finally:
            self._busy = False
        self._tables = tables
        note_committed()
        if not self._joined:
            hooks.run()

    @contextmanager
    def once(self, key: str) -> Iterator[MemoryIdempotentTransaction]:
        with self._turn, self._answered_once(key) as once:
            yield once

    @contextmanager
    def _answered_once(self, key: str) -> Iterator[MemoryIdempotentTransaction]:
        if self._busy or self._joined:
            raise RuntimeError(NESTED)
        before, once = self._tables, MemoryIdempotentTransaction(self._answers.get(key))
        hooks = self._joined = CommitHooks()
        try:
            yield once
        except BaseException:
            self._tables = before
            raise
        finally:
            self._joined = None
        self._answers[key] = once.response
        hooks.run()

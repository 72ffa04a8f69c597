"""In-memory stand-ins for ports. They pass the same contract suite as the real ones."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from operator import attrgetter
from types import MappingProxyType
from typing import Any, get_type_hints
from uuid import UUID

from chassis.core.attempt import note_committed, note_saved, require
from chassis.core.commit_hooks import CommitHooks
from chassis.core.errors import ConflictError, DuplicateError, NotFoundError
from chassis.core.paging import PageQuery
from chassis.core.persistence import (
    Entity,
    KeptAnswer,
    Once,
    Repository,
    Transaction,
    UnitOfWorkFactory,
)
from chassis.project import current_project

NESTED = "A unit of work is open on this thread; join its block instead."


class MemoryRepository(Repository[Entity]):
    """Hands out and stores copies, so that a forgotten `save` shows."""

    def __init__(self, entities: Any) -> None:
        self.stored = entities

    def get(self, entity_id: UUID) -> Entity:
        if entity_id not in self.stored:
            raise NotFoundError(f"There is no {entity_id}.")
        found: Entity = copy(self.stored[entity_id])
        require(entity_id, found.version, found)
        return found

    def page(self, query: PageQuery) -> list[Entity]:
        found = [
            entity
            for entity in self.stored.values()
            if all(getattr(entity, name) == value for name, value in query.where.items())
            and _is_behind(query, entity)
        ]
        for name, descends in reversed(query.keys):
            found.sort(key=attrgetter(name), reverse=descends)
        return [copy(entity) for entity in found[: query.limit]]

    def all_where(self, **values: Any) -> list[Entity]:
        """Copies of those with these values, for the named queries of stand-ins."""
        return [
            copy(entity)
            for entity in self.stored.values()
            if all(getattr(entity, name) == value for name, value in values.items())
        ]

    def add(self, entity: Entity) -> None:
        if entity.id in self.stored:
            raise DuplicateError("It exists already.")
        self.stored[entity.id] = copy(entity)

    def save(self, entity: Entity) -> None:
        self._require_unchanged(entity)
        entity.version += 1
        note_saved(entity.id, entity.version)
        self.stored[entity.id] = copy(entity)

    def remove(self, entity: Entity) -> None:
        self._require_unchanged(entity)
        del self.stored[entity.id]

    def _require_unchanged(self, entity: Entity) -> None:
        require(entity.id, entity.version)
        stored = self.stored.get(entity.id)
        if stored is None or stored.version != entity.version:
            require(entity.id, entity.version + 1)
            raise ConflictError("It was changed or removed by somebody else in the meantime.")


def _is_behind(query: PageQuery, entity: object) -> bool:
    if query.after is None:
        return True
    for (_, descends), value, old in zip(
        query.keys, query.position(entity), query.after, strict=True
    ):
        if value != old:
            return bool(value < old) == descends
    return False


Tables = dict[str, dict[UUID, Any]]
Kinds = Mapping[str, type[MemoryRepository[Any]]]


class MemoryUnitOfWork(Transaction):
    """It has the repositories of the project's own kind."""

    def __init__(self, tables: Tables, kinds: Kinds, *, read_only: bool) -> None:
        self._tables = tables
        self._kinds = kinds
        self._read_only = read_only
        own = get_type_hints(current_project().unit_of_work_type)
        for name in own.keys() - get_type_hints(Transaction):
            setattr(self, name, self.repository(name))

    def repository(self, name: str) -> MemoryRepository[Any]:
        entities = self._tables[name]
        # Writing through a proxy raises TypeError.
        kind = self._kinds.get(name, MemoryRepository)
        return kind(MappingProxyType(entities) if self._read_only else entities)


class MemoryOnce(Once):
    def __init__(self, answer: KeptAnswer | None) -> None:
        self.answer = answer

    def keep(self, answer: KeptAnswer) -> None:
        self.answer = answer


class MemoryUnitOfWorkFactory(UnitOfWorkFactory[Any]):
    def __init__(self, **kinds: type[MemoryRepository[Any]]) -> None:
        """`kinds` are the stand-ins of named repositories, by their name in a unit of work."""
        self._kinds = kinds
        self._tables: dict[str, dict[UUID, Any]] = defaultdict(dict)
        self._answers: dict[str, KeptAnswer | None] = {}
        self._busy = False
        self._joined: CommitHooks | None = None

    @contextmanager
    def __call__(self, *, read_only: bool = False) -> Iterator[MemoryUnitOfWork]:
        if self._busy:
            raise RuntimeError(NESTED)
        self._busy = True
        hooks = self._joined or CommitHooks()
        tables = defaultdict(dict, {name: dict(rows) for name, rows in self._tables.items()})
        try:
            with hooks.part():
                work = MemoryUnitOfWork(tables, self._kinds, read_only=read_only)
                work.hooks = None if read_only else hooks
                yield work
        finally:
            self._busy = False
        self._tables = tables
        note_committed()
        if not self._joined:
            hooks.run()

    @contextmanager
    def once(self, key: str) -> Iterator[MemoryOnce]:
        if self._busy or self._joined:
            raise RuntimeError(NESTED)
        before, once = self._tables, MemoryOnce(self._answers.get(key))
        hooks = self._joined = CommitHooks()
        try:
            yield once
        except BaseException:
            self._tables = before
            raise
        finally:
            self._joined = None
        self._answers[key] = once.answer
        hooks.run()

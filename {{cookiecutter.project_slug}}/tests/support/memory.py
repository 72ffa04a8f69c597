"""In-memory stand-ins for ports. They pass the same contract suite as the real ones."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, get_type_hints
from uuid import UUID

from src.domain.exceptions import ConflictError, DuplicateError, NotFoundError
from src.services.ports import Clock, Entity, Repository, UnitOfWork, UnitOfWorkFactory


class MemoryRepository(Repository[Entity]):
    """Hands out and stores copies, so that a forgotten `save` shows."""

    def __init__(self, entities: Any) -> None:
        self._entities = entities

    def get(self, entity_id: UUID) -> Entity:
        if entity_id not in self._entities:
            raise NotFoundError(f"There is no {entity_id}.")
        found: Entity = copy(self._entities[entity_id])
        return found

    def page(self, limit: int, after: UUID | None = None) -> list[Entity]:
        ids = sorted(found for found in self._entities if after is None or found > after)
        return [self.get(found) for found in ids[:limit]]

    def add(self, entity: Entity) -> None:
        if entity.id in self._entities:
            raise DuplicateError("It exists already.")
        self._entities[entity.id] = copy(entity)

    def save(self, entity: Entity) -> None:
        self._require_unchanged(entity)
        entity.version += 1
        self._entities[entity.id] = copy(entity)

    def remove(self, entity: Entity) -> None:
        self._require_unchanged(entity)
        del self._entities[entity.id]

    def _require_unchanged(self, entity: Entity) -> None:
        stored = self._entities.get(entity.id)
        if stored is None or stored.version != entity.version:
            raise ConflictError("It was changed or removed by somebody else in the meantime.")


class MemoryUnitOfWork(UnitOfWork):
    def __init__(self, tables: dict[str, dict[UUID, Any]], *, read_only: bool) -> None:
        self._tables = tables
        self._read_only = read_only
        for name in get_type_hints(UnitOfWork):
            setattr(self, name, self.repository(name))

    def repository(self, name: str) -> MemoryRepository[Any]:
        entities = self._tables[name]
        # Writing through a proxy raises TypeError.
        return MemoryRepository(MappingProxyType(entities) if self._read_only else entities)


class MemoryUnitOfWorkFactory(UnitOfWorkFactory):
    def __init__(self) -> None:
        self._tables: dict[str, dict[UUID, Any]] = defaultdict(dict)
        self._busy = False

    @contextmanager
    def __call__(self, *, read_only: bool = False) -> Iterator[MemoryUnitOfWork]:
        if self._busy:
            raise RuntimeError("A unit of work is open on this thread; join its block instead.")
        self._busy = True
        tables = defaultdict(dict, {name: dict(rows) for name, rows in self._tables.items()})
        try:
            yield MemoryUnitOfWork(tables, read_only=read_only)
        finally:
            self._busy = False
        self._tables = tables


class StoppedClock(Clock):
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

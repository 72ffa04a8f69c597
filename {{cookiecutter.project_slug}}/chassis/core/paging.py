from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class PageQuery:
    """Which entities of a collection, in which order, and from where on."""

    limit: int
    # What `keys` has of the last entity of the page before.
    after: tuple[Any, ...] | None = None
    # Fields that are never None, and whether each descends.
    order: tuple[tuple[str, bool], ...] = ()
    # Fields, and what each is equal to.
    where: Mapping[str, Any] = field(default_factory=dict)

    @property
    def keys(self) -> tuple[tuple[str, bool], ...]:
        """The order with the id as its end: no two entities are equal in it."""
        names = [name for name, _ in self.order]
        if "id" in names:
            return self.order[: names.index("id") + 1]
        return (*self.order, ("id", bool(self.order) and self.order[-1][1]))

    def position(self, entity: object) -> tuple[Any, ...]:
        return tuple(getattr(entity, name) for name, _ in self.keys)

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal, NamedTuple

Operator = Literal["equal", "one_of", "at_least", "at_most", "prefix", "is_set"]


class Comparison(NamedTuple):
    """A filter: a field, and how to compare it. With `via`, the field is of another entity."""

    field: str
    operator: Operator = "equal"
    via: str | None = None  # The field with the id of the other entity.


class SortKey(NamedTuple):
    name: str
    descends: bool = False
    nulls_first: bool | None = None  # None: the database's order, nulls are the greatest.

    @property
    def begins_with_nulls(self) -> bool:
        return self.descends if self.nulls_first is None else self.nulls_first


@dataclass(frozen=True, slots=True, kw_only=True)
class PageQuery:
    """The filter, the order, the start and the size of a page."""

    limit: int
    # The values of `keys` in the last entity of the page before.
    after: tuple[Any, ...] | None = None
    order: tuple[SortKey, ...] = ()
    # Comparisons, each with its value; an entity has to match all.
    where: tuple[tuple[Comparison, Any], ...] = ()

    @property
    def keys(self) -> tuple[SortKey, ...]:
        """The order, with the id as the last key, so that no two entities are equal in it."""
        return _unambiguous(tuple(self.order))

    def with_one_more(self) -> "PageQuery":
        """The same query for one entity more, which tells whether there is a next page."""
        if type(self) is not PageQuery:
            return replace(self, limit=self.limit + 1)
        # For the usual class without the calls of `replace`.
        return PageQuery(limit=self.limit + 1, after=self.after, order=self.order, where=self.where)

    def position(self, entity: object) -> tuple[Any, ...]:
        return tuple(getattr(entity, key.name) for key in self.keys)

    def narrow(self, **values: Any) -> "PageQuery":
        """The same query, limited to entities whose fields have these values."""
        more = tuple((Comparison(name), value) for name, value in values.items())
        return replace(self, where=(*self.where, *more))


@lru_cache
def _unambiguous(order: tuple[SortKey, ...]) -> tuple[SortKey, ...]:
    names = [key.name for key in order]
    if "id" in names:
        return order[: names.index("id") + 1]
    return (*order, SortKey("id", bool(order) and order[-1].descends))

"""Pages of a list: the query of a request, and the cursor of the next page."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from typing import Any
from uuid import UUID

from marshmallow import ValidationError

from chassis.core.paging import Comparison, PageQuery
from chassis.core.request_scope import current_scope
from chassis.schemas.strict import Message

# For each type name, the function that reads a cursor's value.
READERS: dict[str, Callable[[str], Any]] = {
    "NoneType": lambda _: None,
    "UUID": UUID,
    "bool": "True".__eq__,
    "str": str,
    "int": int,
    "Decimal": Decimal,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "datetime": datetime.fromisoformat,
}


def page(fetch: Callable[[PageQuery], list[Any]], query: PageQuery) -> dict[str, Any]:
    """A page and the next page's cursor."""
    entities = fetch(query.with_one_more())
    items = entities[: query.limit]
    is_last = len(entities) <= query.limit
    return {"items": items, "next": None if is_last else _cursor_behind(query, items[-1])}


def page_query(arguments: dict[str, Any], comparisons: Mapping[str, Comparison]) -> PageQuery:
    """The query from limit, cursor and sort; every other argument is a filter."""
    cursor, order = arguments.pop("cursor", None), arguments.pop("sort", ())
    limit = arguments.pop("limit")
    where = tuple((comparisons[name], value) for name, value in sorted(arguments.items()))
    if cursor is None:
        return PageQuery(limit=limit, order=order, where=where)
    list_digest, position = cursor
    if list_digest != _list_digest(order, where):
        message = Message("The cursor is from another list, sort or filter.", "cursor")
        raise ValidationError({"cursor": [message]})
    after = tuple(READERS[kind](text) for kind, text in position)
    return PageQuery(limit=limit, after=after, order=order, where=where)


def _cursor_behind(query: PageQuery, last: object) -> list[Any]:
    position = query.position(last)
    return [_list_digest(query.order, query.where), [_type_and_text(value) for value in position]]


def _type_and_text(value: Any) -> tuple[str, str]:
    if isinstance(value, StrEnum):
        value = value.value
    return type(value).__name__, str(value)


def _list_digest(order: object, where: object) -> str:
    """A digest of path, order and filters: a cursor is valid only where its digest is the same."""
    request = current_scope().request
    below = sorted((request.view_args or {}).items())
    return _digest(repr((request.endpoint, below, order, where)))


@lru_cache  # Each page calls this twice, with the same text on all pages of a list.
def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]

"""Keyset pagination: a page begins behind a position, so the last one costs what the first does.

https://use-the-index-luke.com/no-offset
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, and_, bindparam, or_, tuple_

from chassis.core.paging import PageQuery
from chassis.postgres.fast.statements import Statement

Keys = Sequence[tuple[Column[Any], bool]]


def page_statement(table: Table, query: PageQuery) -> Statement:
    return _statement(table, query.keys, tuple(query.where), resumed=query.after is not None)


def page_values(query: PageQuery) -> dict[str, Any]:
    after = zip(query.keys, query.after or (), strict=query.after is not None)
    return {
        "limit": query.limit,
        **{f"where_{name}": value for name, value in query.where.items()},
        **{f"after_{name}": value for (name, _), value in after},
    }


@lru_cache(maxsize=256)
def _statement(
    table: Table, order: tuple[tuple[str, bool], ...], where: tuple[str, ...], *, resumed: bool
) -> Statement:
    """Built once a shape, and there are as many shapes as were declared."""
    keys = [(table.c[name], descends) for name, descends in order]
    conditions = [table.c[name] == bindparam(f"where_{name}") for name in where]
    if resumed:
        conditions.append(_behind(keys))
    ordering = [column.desc() if descends else column for column, descends in keys]
    selected = table.select().where(*conditions).order_by(*ordering)
    return Statement(selected.limit(bindparam("limit")))


def _behind(keys: Keys) -> ColumnElement[bool]:
    """In one direction PostgreSQL compares rows, and begins in an index at the right place.

    In two it begins there with what the first column can be, and looks at those beside it.
    """
    columns = [column for column, _ in keys]
    if len({descends for _, descends in keys}) == 1:
        rows = tuple_(*columns), tuple_(*map(_position, columns))
        return rows[0] < rows[1] if keys[0][1] else rows[0] > rows[1]
    first, descends = keys[0]
    begins = first <= _position(first) if descends else first >= _position(first)
    return and_(begins, _behind_one_by_one(keys))


def _behind_one_by_one(keys: Keys) -> ColumnElement[bool]:
    (column, descends), *rest = keys
    value = _position(column)
    behind = column < value if descends else column > value
    return or_(behind, and_(column == value, _behind_one_by_one(rest))) if rest else behind


def _position(column: Column[Any]) -> ColumnElement[Any]:
    return bindparam(f"after_{column.name}", type_=column.type)

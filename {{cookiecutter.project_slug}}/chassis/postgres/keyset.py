"""Keyset pagination: a page begins behind a position, so all pages cost the same.

https://use-the-index-luke.com/no-offset
"""

import operator
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    Table,
    and_,
    bindparam,
    false,
    or_,
    select,
    tuple_,
    union_all,
)

from chassis.core.errors import DeclarationError
from chassis.core.paging import Comparison, PageQuery, SortKey
from chassis.postgres.fast.statements import Statement

LIMIT: BindParameter[int] = bindparam("limit")
WILDCARDS = str.maketrans({character: f"\\{character}" for character in "\\%_"})


class _Key(NamedTuple):
    column: Column[Any]
    descends: bool
    begins_with_nulls: bool
    after_null: bool  # Whether the value at the page's beginning is null.


Test = tuple[Comparison, bool]  # The bool is an is_set filter's value: part of the statement.


def page_statement(table: Table, query: PageQuery) -> Statement:
    where = tuple((one, one.operator == "is_set" and bool(value)) for one, value in query.where)
    nulls = None if query.after is None else tuple(value is None for value in query.after)
    return _statement(table, query.keys, where, nulls)


def page_values(query: PageQuery) -> dict[str, Any]:
    after = zip(query.keys, query.after or (), strict=query.after is not None)
    return {
        "limit": query.limit,
        **{
            f"where_{number}": _operand(one, value)
            for number, (one, value) in enumerate(query.where)
            if one.operator != "is_set"
        },
        **{f"after_{key.name}": value for key, value in after if value is not None},
    }


@lru_cache(maxsize=256)
def _statement(
    table: Table,
    order: tuple[SortKey, ...],
    where: tuple[Test, ...],
    nulls: tuple[bool, ...] | None,
) -> Statement:
    """The statement for a shape of query, built once. Shapes are limited by declarations."""
    keys = [
        _Key(_column(table, key.name), key.descends, key.begins_with_nulls, is_null)
        for key, is_null in zip(order, nulls or (False,) * len(order), strict=True)
    ]
    conditions = [_condition(table, number, *test) for number, test in enumerate(where)]
    # In each part, the first column is NULL in all rows or in none, as in a range of an index.
    ordering = [_plainly(keys[0]), *map(_ordering, keys[1:])]
    parts = [
        table.select().where(*conditions, *part).order_by(*ordering).limit(LIMIT)
        for part in _parts(keys, has_position=nulls is not None)
    ]
    if len(parts) == 1:
        return Statement(parts[0])
    columns: Any = union_all(*parts).subquery("page").c
    again = [key._replace(column=columns[key.column.name]) for key in keys]
    return Statement(select(*columns).order_by(*map(_ordering, again)).limit(LIMIT))


def _column(table: Table, name: str) -> Column[Any]:
    column = table.c.get(name)
    if column is None:
        raise DeclarationError(
            f"A list sorts or filters {table.name} by {name!r}, and there is no such column: in "
            f"the list's schema, name one of {', '.join(table.c.keys())}."
        )
    return column


def _parts(keys: Sequence[_Key], *, has_position: bool) -> list[list[ColumnElement[bool]]]:
    """The conditions of each index range that a page is read from: two if it may have nulls.

    The index has nulls at one end, which need not be the end where the list has them.
    """
    first, *rest = keys
    column = first.column
    if not has_position:
        as_in_index = not column.nullable or first.begins_with_nulls == first.descends
        return [[]] if as_in_index else [[column.is_(None)], [column.is_not(None)]]
    if first.after_null:
        behind = _behind_one_by_one(rest) if rest[0].column.nullable else _behind(rest)
        same = [column.is_(None), behind]
        return [same, [column.is_not(None)]] if first.begins_with_nulls else [same]
    filled = [_behind(keys)]
    has_nulls_behind = column.nullable and not first.begins_with_nulls
    return [filled, [column.is_(None)]] if has_nulls_behind else [filled]


def _plainly(key: _Key) -> ColumnElement[Any]:
    return key.column.desc() if key.descends else key.column.asc()


def _ordering(key: _Key) -> ColumnElement[Any]:
    ordering = _plainly(key)
    if not key.column.nullable or key.begins_with_nulls == key.descends:
        return ordering  # The order of an index, in either direction.
    return ordering.nulls_first() if key.begins_with_nulls else ordering.nulls_last()


def _condition(table: Table, number: int, one: Comparison, is_set: bool) -> ColumnElement[bool]:  # noqa: FBT001
    if one.via:
        reference = next(iter(_column(table, one.via).foreign_keys), None)
        if reference is None:
            raise DeclarationError(
                f"A list filters through {table.name}.{one.via}, and {table.name}.{one.via} "
                "refers to no other table: give it a ForeignKeyConstraint."
            )
        other = reference.column.table
        condition = _condition(other, number, one._replace(via=None), is_set)
        return _column(table, one.via).in_(select(reference.column).where(condition))
    column, name = _column(table, one.field), f"where_{number}"
    if one.operator == "is_set":
        return column.is_not(None) if is_set else column.is_(None)
    if one.operator == "one_of":
        return column.in_(bindparam(name, expanding=True))
    if one.operator == "prefix":
        return column.like(bindparam(name))
    compare = {"equal": operator.eq, "at_least": operator.ge, "at_most": operator.le}[one.operator]
    compared: ColumnElement[bool] = compare(column, bindparam(name, type_=column.type))
    return compared


def _operand(one: Comparison, value: Any) -> Any:
    return f"{value.translate(WILDCARDS)}%" if one.operator == "prefix" else value


def _behind(keys: Sequence[_Key]) -> ColumnElement[bool]:
    """The condition for rows behind the position whose first column has a value.

    If all columns have one direction, PostgreSQL compares rows and begins at the right place of an
    index. If directions differ, or a further column may be null, it begins at the value of the
    first column. If the position's first value is null, columns are compared one by one.
    """
    first, *rest = keys
    if first.after_null:
        return _behind_one_by_one(keys)
    if len({key.descends for key in keys}) == 1 and not any(key.column.nullable for key in rest):
        columns = [key.column for key in keys]
        rows = tuple_(*columns), tuple_(*map(_position, columns))
        return rows[0] < rows[1] if first.descends else rows[0] > rows[1]
    value = _position(first.column)
    begins = first.column <= value if first.descends else first.column >= value
    return and_(begins, _behind_one_by_one(keys))


def _behind_one_by_one(keys: Sequence[_Key]) -> ColumnElement[bool]:
    key, *rest = keys
    if not rest:
        return _is_behind(key)
    return or_(_is_behind(key), and_(_is_same(key), _behind_one_by_one(rest)))


def _is_behind(key: _Key) -> ColumnElement[bool]:
    if key.after_null:
        return key.column.is_not(None) if key.begins_with_nulls else false()
    value = _position(key.column)
    behind = key.column < value if key.descends else key.column > value
    has_nulls_behind = key.column.nullable and not key.begins_with_nulls
    return or_(behind, key.column.is_(None)) if has_nulls_behind else behind


def _is_same(key: _Key) -> ColumnElement[bool]:
    return key.column.is_(None) if key.after_null else key.column == _position(key.column)


def _position(column: Column[Any]) -> ColumnElement[Any]:
    return bindparam(f"after_{column.name}", type_=column.type)

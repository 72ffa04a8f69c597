"""Fields of requests that a schema declares by hand, and whether their columns can hold them."""

import inspect
from collections.abc import Iterator
from typing import Any, get_args, get_type_hints

import marshmallow
from flask import Flask
from marshmallow.fields import Field
from sqlalchemy import BigInteger, Column, Integer, Numeric, String, Table

from chassis.core.limits import INTEGER_MAX, INTEGER_MIN
from chassis.http.access.policies import operations
from chassis.postgres.sql_repository import SqlRepository
from chassis.schemas import fields

Repositories = dict[type, SqlRepository[Any]]


def repositories(unit_of_work: Any) -> Repositories:
    """Return the repositories of the project's unit of work, by the entity that they store."""
    stored = vars(unit_of_work(None)).values()  # Making repositories sends no statement.
    return {one._entity_type: one for one in stored if isinstance(one, SqlRepository)}


def oversized(app: Flask, stored: Repositories) -> list[str]:
    """A sentence for each field that accepts more than its column holds: place and remedy."""
    sentences = dict.fromkeys(
        sentence
        for _, _, _, view in operations(app)
        if (schema := getattr(view, "body_schema", None))
        for entity_type in _entity_types(view)
        if (one := stored.get(entity_type))
        for sentence in _oversized(schema, one._table, one.children)
    )
    return list(sentences)


def _entity_types(view: Any) -> Iterator[type]:
    """Return the entity types that an operation returns, to which its input belongs."""
    hint = get_type_hints(inspect.unwrap(view)).get("return")
    yield from (one for one in (hint, *get_args(hint)) if isinstance(one, type))


def _oversized(schema: marshmallow.Schema, table: Table, children: Any) -> Iterator[str]:
    for name, field in schema.load_fields.items():
        attribute = field.attribute or name
        column = table.c.get(attribute)
        if column is not None:
            for problem in _problems(field, column):
                place = f"{type(schema).__name__}.{name}"
                yield f"{place} takes {problem[0]}, and {table.name}.{column.name} {problem[1]}."
        inner = field.inner if isinstance(field, fields.List) else None
        below = [one.table for one in children if one.field == attribute]
        if below and isinstance(inner, fields.Nested):
            yield from _oversized(inner.schema, below[0], ())


def _problems(field: Field[Any], column: Column[Any]) -> Iterator[tuple[str, str]]:
    """Yield sentences: values that a field accepts and its column does not, and the remedy."""
    match field, column.type:
        case fields.Text(), String(length=int(length)) if field.max_length > length:
            cure = f"give the field max_length={length}, or make the column longer"
            yield f"{field.max_length} characters", f"holds {length}: {cure}"
        case fields.Integer(), Integer() if not isinstance(column.type, BigInteger):
            low, high = field.bounds
            if low < INTEGER_MIN or high > INTEGER_MAX:
                cure = "make it one, or give the field bounds"
                yield f"{low} to {high}", f"is no BigInteger: {cure}"
        case fields.Decimal(), Numeric(precision=int(digits), scale=places):
            room = digits - (places or 0), places or 0
            if any(more > less for more, less in zip(field.room, room, strict=True)):
                cure = f"give the field digits={digits} and places={room[1]}, or make it larger"
                taken = f"{field.room[0]} digits and {field.room[1]} places"
                yield taken, f"holds {room[0]} and {room[1]}: {cure}"
    if field.allow_none and not column.nullable:
        cure = "take allow_none=True from the field, or let the column be null"
        yield "null", f"is NOT NULL: {cure}"

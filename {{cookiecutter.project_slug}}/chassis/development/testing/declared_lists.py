"""Finds sorts and filters of lists that have no index."""

from collections.abc import Iterator
from typing import Any

from flask import Flask
from sqlalchemy import (
    Boolean,
    Column,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
)

from chassis.core.paging import Comparison
from chassis.http.access.policies import operations
from chassis.http.input.parser import query_fields
from chassis.postgres.columns import ENTITY
from chassis.schemas.sort import Sort

PATTERNS = "text_pattern_ops"  # https://www.postgresql.org/docs/current/indexes-opclass.html


def missing_indexes(app: Flask, metadata: MetaData) -> list[str]:
    """A sentence for each sort and filter that lacks the index it needs, with the line to add."""
    sentences = dict.fromkeys(
        sentence
        for _, method, path, view in operations(app)
        if method == "GET"
        for name, field in query_fields(view).items()
        for sentence in _missing(f"GET {path}", name, field, metadata)
    )
    return list(sentences)


def _missing(place: str, name: str, field: Any, metadata: MetaData) -> Iterator[str]:
    table = _table_of(getattr(field, "entity_type", None), metadata)
    if table is None:
        return
    if isinstance(field, Sort):
        for word, column in field.fields.items():
            if not _has_index(table, column, "id") and not _is_unique(table, column):
                yield _sentence(f"{place} sorts by {word}", table, f'Index(None, "{column}", "id")')
    elif field.comparison:
        column = field.comparison.via or field.comparison.field
        if not _is_served(table, field.comparison, table.c[column]):
            options = ""
            if field.comparison.operator == "prefix" and not field.comparison.via:
                options = f', postgresql_ops={{"{column}": "{PATTERNS}"}}'
            line = f'Index(None, "{column}"{options})'
            yield _sentence(f"{place} filters by {name}", table, line)


def _sentence(what: str, table: Table, line: str) -> str:
    return f"{what}, and {table.name} has no index for that: add {line}, and run db migrate."


def _table_of(entity_type: type | None, metadata: MetaData) -> Table | None:
    for table in metadata.tables.values():
        if "id" in table.c and table.c.id.info.get(ENTITY) is entity_type is not None:
            return table
    return None


def _is_served(table: Table, one: Comparison, column: Column[Any]) -> bool:
    if one.operator == "prefix" and not one.via:
        return _has_index(table, column.name, operators=PATTERNS)
    if isinstance(column.type, Boolean):
        return True  # About half of the rows match: PostgreSQL would not use an index.
    is_first = column.name in {names[0] for names in _keys(table)}
    return is_first or _has_index(table, column.name)


def _is_unique(table: Table, name: str) -> bool:
    """Whether no two rows have the same value; False for a column that may be null."""
    keys = _keys(table) + [
        _names(index) for index in table.indexes if index.unique and not _is_partial(index)
    ]
    return [name] in keys and not table.c[name].nullable


def _keys(table: Table) -> list[list[str | None]]:
    """The columns of each constraint that has an index: the primary key, and the unique ones."""
    return [
        [column.name for column in one.columns]
        for one in table.constraints
        if isinstance(one, PrimaryKeyConstraint | UniqueConstraint) and one.columns
    ]


def _names(index: Index) -> list[str | None]:
    """The columns of an index; None in place of an expression."""
    return [one.name if isinstance(one, Column) else None for one in index.expressions]


def _is_partial(index: Index) -> bool:
    return index.dialect_options["postgresql"]["where"] is not None


def _has_index(table: Table, *names: str, operators: str | None = None) -> bool:
    for index in table.indexes:
        classes = index.dialect_options["postgresql"]["ops"].get(names[0])
        if _names(index)[: len(names)] == list(names) and classes == operators:
            return True
    return False

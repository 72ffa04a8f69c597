"""Makes rows for every table from the types of its columns."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from operator import attrgetter
from typing import Any

from sqlalchemy import Column, Connection, MetaData, Table, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.exc import IntegrityError

from chassis.core import rules
from chassis.core.identity import uuid7
from chassis.core.model import declarations
from chassis.postgres.columns import ENTITY
from chassis.postgres.error_translation import first_line

START = datetime(2026, 1, 1, tzinfo=UTC)
REFUSED = (
    "{} refuses its example rows ({}). Give the suite in tests/test_promises.py a value for a "
    'column: values = {{**lists.ListsSuite.values, "due_on": date(2030, 1, 1)}}.'
)
Rows = dict[str, list[dict[str, Any]]]


def fill(
    connection: Connection, metadata: MetaData, count: int, values: Mapping[str, Any] = {}
) -> Rows:
    """Insert `count` rows into each table; `values` are by column: `{"owner": "tests"}`.

    All rows refer to the first row of another table, except through columns that are unique.
    """
    made: Rows = {}
    for table in tables_with_rows(metadata):
        made[table.name] = [_row(table, number, made, values) for number in range(count)]
        try:
            connection.execute(table.insert(), made[table.name])
        except IntegrityError as error:
            raise AssertionError(REFUSED.format(table.name, first_line(error.orig))) from error
    return made


def tables_with_rows(metadata: MetaData) -> list[Table]:
    """The tables of the metadata, after the chassis's tables to which they refer."""
    keys = (key for table in metadata.tables.values() for key in table.foreign_keys)
    others = {key.column.table for key in keys} - {*metadata.tables.values()}
    return [*sorted(others, key=attrgetter("name")), *metadata.sorted_tables]


def _row(table: Table, number: int, made: Rows, values: Mapping[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for column in table.columns:
        if column.name in values:
            row[column.name] = values[column.name]
        elif column.foreign_keys:
            row[column.name] = _reference(column, number, made)
        elif column.server_default is None and column.identity is None:
            row[column.name] = _value(column, number)
    return row


def _reference(column: Column[Any], number: int, made: Rows) -> Any:
    target = next(iter(column.foreign_keys)).column
    others = made.get(target.table.name)
    if not others:  # A reference to the same table.
        return None
    return others[number if _is_unique(column) else 0][target.name]


def _is_unique(column: Column[Any]) -> bool:
    """Whether the column has to differ from row to row.

    Of references that are unique together, the last one does.
    """
    table: Any = column.table
    keys = [one for one in table.constraints if isinstance(one, UniqueConstraint)]
    keys += [one for one in table.indexes if one.unique]
    return column.primary_key or any(
        [*key.columns][-1:] == [column] and all(one.foreign_keys for one in [*key.columns][:-1])
        for key in keys
    )


def _value(column: Column[Any], number: int) -> Any:
    entity_type = column.info.get(ENTITY)
    declared = declarations(entity_type).get(column.name) if entity_type else None
    if column.name == "version":
        return 1
    if declared:
        return _following(declared.rule, number)
    for kind, make in BY_TYPE:
        if isinstance(column.type, kind):
            return make(number)
    return _of_python(column.type.python_type, number, getattr(column.type, "length", None))


BY_TYPE: tuple[tuple[Any, Any], ...] = ((JSONB, lambda _: {}), (ARRAY, lambda _: []))


def _of_python(kind: type, number: int, length: int | None = None) -> Any:
    moment = START + timedelta(hours=number)
    values: dict[type, Any] = {
        str: f"{number:04}"[: length or 4],
        int: number,
        bool: bool(number % 2),
        Decimal: Decimal(number),
        date: START.date() + timedelta(days=number),
        datetime: moment,
        time: moment.time(),
    }
    return values.get(kind, uuid7())


def _following(rule: rules.Rule, number: int) -> Any:
    for value in _candidates(rule, number):
        try:
            return rule.accept(value)
        except ValueError:
            continue
    raise TypeError(f"There is no example for {rule}: give the suite `values` with the column.")


def _candidates(rule: rules.Rule, number: int) -> Iterator[Any]:
    if isinstance(rule, rules.Choice):
        yield rule.values[number % len(rule.values)]
    if isinstance(rule, rules.Items):
        yield [_following(rule.of, one) for one in range(rule.minimum)]
    if isinstance(rule, rules.Plain):
        yield _of_python(rule.of, number)
    least = getattr(rule, "minimum", None) or 0
    if isinstance(rule, rules.Integer):
        yield from (number, least + number, least)
    if isinstance(rule, rules.Number):
        yield from (Decimal(number), Decimal(least) + number, Decimal(least))
    yield from (f"x{number}@example.org", f"https://example.org/{number}", {})
    if isinstance(rule, rules.Text):
        yield f"{number:04}".ljust(least, "x")[-rule.maximum :]
        yield f"{number:0{least}}"  # Digits only, as in a checksum.

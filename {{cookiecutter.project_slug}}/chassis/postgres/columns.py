"""The columns of an entity's table, made of what its fields may hold."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Dialect,
    Integer,
    Numeric,
    String,
    Text,
    Time,
    TypeDecorator,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import TypeEngine

from chassis.core import rules
from chassis.core.limits import BIG_INTEGER_MAX, BIG_INTEGER_MIN, INTEGER_MAX, INTEGER_MIN
from chassis.core.model import Declaration, declarations
from chassis.core.rules import Rule

ENTITY = "entity"  # In a column's info: whose field it is.
PLAIN: dict[type, TypeEngine[Any]] = {
    bool: Boolean(),
    date: Date(),
    datetime: DateTime(timezone=True),
    time: Time(),
    UUID: Uuid(),
}


class EnumText(TypeDecorator[StrEnum]):
    """A member of an enumeration, stored as its text."""

    impl = Text
    cache_ok = True

    def __init__(self, of: type[StrEnum]) -> None:
        super().__init__()
        self.of = of

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        del dialect
        return None if value is None else str(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> StrEnum | None:
        del dialect
        return None if value is None else self.of(value)


def columns(entity_type: type, *names: str) -> list[Column[Any]]:
    """Of these fields, or of all that have a rule, in their order; the id is the primary key."""
    declared = declarations(entity_type)
    return [_column(entity_type, name, declared[name]) for name in names or declared]


def _column(entity_type: type, name: str, declared: Declaration) -> Column[Any]:
    return Column(
        name,
        _type(declared.rule),
        *(CheckConstraint(text, name=name) for text in _checks(name, declared.rule)),
        primary_key=name == "id",
        nullable=declared.nullable,
        info={ENTITY: entity_type},
    )


def _type(rule: Rule) -> TypeEngine[Any]:
    for kind, make in TYPES.items():
        if isinstance(rule, kind):
            made: TypeEngine[Any] = make(rule)
            return made
    raise TypeError(f"{rule!r} has no type of column.")


TYPES: dict[Any, Callable[[Any], TypeEngine[Any]]] = {
    rules.Text | rules.Email | rules.Url: lambda rule: String(rule.maximum),
    rules.Integer: lambda rule: BigInteger() if rule.is_big else Integer(),
    rules.Number: lambda rule: Numeric(rule.digits, rule.places),
    rules.Choice: lambda rule: EnumText(rule.of),
    rules.JsonObject: lambda _: JSONB(),
    rules.Items: lambda rule: ARRAY(_type(rule.of)),
    rules.Plain: lambda rule: PLAIN[rule.of],
}


def _checks(name: str, rule: Rule) -> Iterator[str]:
    """One at most: its name is the column's."""
    bounds: list[str] = []
    match rule:
        case rules.Choice():
            values = ", ".join("'" + value.replace("'", "''") + "'" for value in rule.values)
            bounds = [f"{name} IN ({values})"]
        case rules.Text() if rule.minimum:
            bounds = [f"char_length({name}) >= {rule.minimum}"]
        case rules.Integer():
            low, high = (
                (BIG_INTEGER_MIN, BIG_INTEGER_MAX) if rule.is_big else (INTEGER_MIN, INTEGER_MAX)
            )
            bounds += [f"{name} >= {rule.minimum}"] if rule.minimum > low else []
            bounds += [f"{name} <= {rule.maximum}"] if rule.maximum < high else []
        case rules.Number():
            bounds += [f"{name} >= {rule.minimum}"] if rule.minimum is not None else []
            bounds += [f"{name} <= {rule.maximum}"] if rule.maximum is not None else []
    if bounds:
        yield " AND ".join(bounds)

"""Makes the columns of a table from the rules of an entity's fields."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import fields, is_dataclass
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
    Table,
    Text,
    Time,
    TypeDecorator,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import TypeEngine

from chassis.core import rules
from chassis.core.errors import DeclarationError
from chassis.core.limits import BIG_INTEGER_MAX, BIG_INTEGER_MIN, INTEGER_MAX, INTEGER_MIN
from chassis.core.model import Declaration, declarations
from chassis.core.rules import Rule

ENTITY = "entity"  # Key in a column's `info`: the entity's type.
PLAIN: dict[type, TypeEngine[Any]] = {
    bool: Boolean(),
    date: Date(),
    datetime: DateTime(timezone=True),
    time: Time(),
    UUID: Uuid(),
}


class EnumText(TypeDecorator[StrEnum]):
    """The column type of an enumeration: stores a member as its text."""

    impl = Text
    cache_ok = True

    def __init__(self, of: type[StrEnum]) -> None:
        super().__init__()
        self.of = of

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        del dialect
        return None if value is None else str(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> StrEnum | None:
        """Raise LookupError for a value that the enum does not have, as SQLAlchemy's Enum does."""
        del dialect
        try:
            return None if value is None else self.of(value)
        except ValueError as error:
            raise LookupError(str(error)) from error


def columns(entity_type: type, *names: str) -> list[Column[Any] | CheckConstraint]:
    """The columns and checks of these fields, or of all fields with a rule, in their order.

    The id is the primary key.
    """
    declared = declarations(entity_type)
    chosen = {name: declared[name] for name in names or declared}
    # Beside the columns: inside them, Alembic overlooks checks.
    checks = [
        CheckConstraint(text, name=name)
        for name, one in chosen.items()
        for text in _checks(name, one.rule)
    ]
    return [*(_column(entity_type, name, one) for name, one in chosen.items()), *checks]


def _column(entity_type: type, name: str, declared: Declaration) -> Column[Any]:
    return Column(
        name,
        _type(declared.rule),
        primary_key=name == "id",
        nullable=declared.nullable,
        info={ENTITY: entity_type},
    )


def _type(rule: Rule) -> TypeEngine[Any]:
    for kind, make in TYPES.items():
        if isinstance(rule, kind):
            made: TypeEngine[Any] = make(rule)
            return made
    raise DeclarationError(f"{rule!r} has no column type.")


TYPES: dict[Any, Callable[[Any], TypeEngine[Any]]] = {
    rules.Text | rules.Email | rules.Url: lambda rule: String(rule.maximum),
    rules.Integer: lambda rule: BigInteger() if rule.is_big else Integer(),
    rules.Number: lambda rule: Numeric(rule.digits, rule.places),
    rules.Choice: lambda rule: EnumText(rule.of),
    # jsonb has its own order of keys and form of numbers; the rule gives an entity the same.
    # https://www.postgresql.org/docs/current/datatype-json.html
    rules.JsonObject: lambda _: JSONB(),
    rules.Items: lambda rule: ARRAY(_type(rule.of)),
    rules.Plain: lambda rule: PLAIN[rule.of],
}


def _checks(name: str, rule: Rule) -> Iterator[str]:
    """The condition of a column's check, if the rule needs a check."""
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


def require_fit(
    table: Table, entity_type: type, children: Collection[str] = (), also: Collection[str] = ()
) -> None:
    """Raise DeclarationError unless the table's columns fit the entity's fields.

    `children` are fields of the entity in other tables; `also` are columns that are no field.
    """
    if not is_dataclass(entity_type):
        return
    kind, names = entity_type.__name__, [field.name for field in fields(entity_type)]
    declared = declarations(entity_type)
    for column in table.columns:
        if column.name in also:
            continue
        if column.name not in names:
            raise DeclarationError(
                f"{table.name}.{column.name} is a column without a field: give {kind} a field "
                f"`{column.name}`, or take the column out of the table."
            )
        if one := declared.get(column.name):
            _require_room(table, column, one, kind)
    for name in names:
        if name not in table.columns and name not in children:
            raise DeclarationError(
                f"{kind}.{name} is a field without a column, and would be lost: give {table.name} "
                f"a column `{name}`, or declare it in `children` of a repository."
            )


def _require_room(table: Table, column: Column[Any], declared: Declaration, kind: str) -> None:
    place, rule, has = f"{table.name}.{column.name}", declared.rule, column.type
    wanted = _type(rule)
    longest = getattr(wanted, "length", None) or 0
    if isinstance(rule, rules.Choice):
        longest = max(map(len, rule.values))
    if isinstance(has, String) and has.length is not None and has.length < longest:
        raise DeclarationError(
            f"{place} holds {has.length} characters, and {kind}.{column.name} may have {longest}: "
            "make the column longer, or the rule shorter."
        )
    if isinstance(wanted, BigInteger) and not isinstance(has, BigInteger):
        raise DeclarationError(
            f"{place} has to be a BigInteger, because the rule of {kind} allows larger values."
        )
    if isinstance(wanted, Numeric) and isinstance(has, Numeric) and has.precision is not None:
        room, need = _digits(has), _digits(wanted)
        if any(more > less for more, less in zip(need, room, strict=True)):
            raise DeclarationError(
                f"{place} holds {room[0]} digits and {room[1]} places, and {kind}.{column.name} "
                f"may have {need[0]} and {need[1]}: make the column larger, or the rule smaller."
            )
    if declared.nullable and not column.nullable:
        raise DeclarationError(
            f"{place} is NOT NULL, and {kind}.{column.name} may be None: change one of them."
        )


def _digits(type_: Numeric[Any]) -> tuple[int, int]:
    places = type_.scale or 0
    return (type_.precision or 0) - places, places

"""Filters of a list beyond equality: each takes the values that the entity's field takes.

    price_from = filters.at_least(Product, "price")

Several filters of one request are all fulfilled. `make check` names the index that one lacks.
"""

from typing import Any

from chassis.core.errors import DeclarationError
from chassis.core.paging import Comparison, Operator
from chassis.schemas import fields
from chassis.schemas.strict import StrictField

MOST_VALUES = 50


def equal(entity_type: type, name: str, **options: Any) -> StrictField[Any]:
    return _comparing(_value(entity_type, name, options), entity_type, Comparison(name))


def one_of(entity_type: type, name: str, **options: Any) -> StrictField[Any]:
    """`?tier=gold&tier=silver`."""
    values = fields.List(
        _value(entity_type, name, {}), min_length=1, max_length=MOST_VALUES, **options
    )
    return _comparing(values, entity_type, Comparison(name, "one_of"))


def at_least(entity_type: type, name: str, **options: Any) -> StrictField[Any]:
    """That or more."""
    return _comparing(_value(entity_type, name, options), entity_type, Comparison(name, "at_least"))


def at_most(entity_type: type, name: str, **options: Any) -> StrictField[Any]:
    """That or less."""
    return _comparing(_value(entity_type, name, options), entity_type, Comparison(name, "at_most"))


def prefix(entity_type: type, name: str, **options: Any) -> StrictField[Any]:
    """With which a text begins, in the case that it has."""
    field = _value(entity_type, name, options)
    if not isinstance(field, fields.Text):
        raise DeclarationError(
            f"{entity_type.__name__}.{name} is no Text: only a text has a prefix."
        )
    return _comparing(field, entity_type, Comparison(name, "prefix"))


def is_set(entity_type: type, name: str, **options: Any) -> StrictField[Any]:
    """Whether it has a value at all: true or false."""
    _value(entity_type, name, {})
    return _comparing(fields.Boolean(**options), entity_type, Comparison(name, "is_set"))


def related(
    entity_type: type,
    reference: str,
    other_type: type,
    name: str,
    operator: Operator = "equal",
    **options: Any,
) -> StrictField[Any]:
    """By a field of the entity that `reference` has the id of."""
    _value(entity_type, reference, {})
    make = {"equal": equal, "one_of": one_of, "at_least": at_least, "at_most": at_most}
    make |= {"prefix": prefix, "is_set": is_set}
    field = make[operator](other_type, name, **options)
    return _comparing(field, entity_type, Comparison(name, operator, reference))


def _value(entity_type: type, name: str, options: dict[str, Any]) -> StrictField[Any]:
    return fields.of(entity_type, name, **{"allow_none": False, **options})


def _comparing(
    field: StrictField[Any], entity_type: type, comparison: Comparison
) -> StrictField[Any]:
    field.entity_type, field.comparison = entity_type, comparison
    return field

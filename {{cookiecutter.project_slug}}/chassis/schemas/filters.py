"""Filters of a list. Each accepts the values of the entity's field.

    price_from = filters.at_least(Product, "price")

An entity has to match all filters of a request. A test names the index that a filter lacks.
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
    """Filter by any of several values: `?tier=gold&tier=silver`."""
    values = fields.List(
        _value(entity_type, name, {}), min_length=1, max_length=MOST_VALUES, **options
    )
    return _comparing(values, entity_type, Comparison(name, "one_of"))


def at_least(entity_type: type, name: str, **options: Any) -> StrictField[Any]:
    """Filter by values greater than or equal to the given one."""
    return _comparing(_value(entity_type, name, options), entity_type, Comparison(name, "at_least"))


def at_most(entity_type: type, name: str, **options: Any) -> StrictField[Any]:
    """Filter by values less than or equal to the given one."""
    return _comparing(_value(entity_type, name, options), entity_type, Comparison(name, "at_most"))


def prefix(entity_type: type, name: str, **options: Any) -> StrictField[Any]:
    """Filter by texts that begin with the given one; upper and lower case differ."""
    field = _value(entity_type, name, options)
    if not isinstance(field, fields.Text):
        raise DeclarationError(
            f"{entity_type.__name__}.{name} is no Text: only a text has a prefix."
        )
    return _comparing(field, entity_type, Comparison(name, "prefix"))


def is_set(entity_type: type, name: str, **options: Any) -> StrictField[Any]:
    """Filter by whether the field has a value: true or false."""
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
    """Filter by a field of another entity, whose id is in the field `reference`."""
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

"""Makes entities of rows quickly, and UUIDs of their texts."""

from collections.abc import Callable, Sequence
from functools import cache
from types import MemberDescriptorType
from typing import Any
from uuid import UUID, SafeUUID

from psycopg2.extensions import new_array_type, new_type

from chassis.core.model import Value, is_plain_name

ENABLED = True  # Tests set False: then setattr fills entities, and psycopg2 makes UUIDs.
UUID_OID, UUID_ARRAY_OID = 2950, 2951
# A function that names each field is the fastest, as in Python's dataclasses.
MAKE = """
def make(row):
    entity = new(entity_type)
    {fields}, = row
    return entity
"""
# The same without the __setattr__ of a Value: by the descriptor of each slot.
FILL = """
def make(row):
    entity = new(entity_type)
    {values}, = row
    {calls}
    return entity
"""

Make = Callable[[Sequence[Any]], Any]
_new, _set, _of_unknown_safety = object.__new__, object.__setattr__, SafeUUID.unknown


def entity_maker(entity_type: type, names: tuple[str, ...]) -> Make:
    """A function that makes an entity of a row with these columns.

    It does not call __init__, so that a tightened rule leaves older rows readable.
    """
    kind: Any = entity_type
    if issubclass(kind, Value):  # Its __setattr__ would check rules, which may be stricter now.
        return _filling(kind, names) if ENABLED else _assigning(kind, names, _set)
    return _unpacking(kind, names) if ENABLED else _assigning(kind, names, setattr)


@cache
def _unpacking(entity_type: Any, names: tuple[str, ...]) -> Make:
    if not all(map(is_plain_name, names)):
        return _assigning(entity_type, names, setattr)
    space: dict[str, Any] = {"new": _new, "entity_type": entity_type}
    exec(MAKE.format(fields=", ".join(f"entity.{name}" for name in names)), space)  # noqa: S102  # Names of columns.
    make: Make = space["make"]
    return make


@cache
def _filling(entity_type: Any, names: tuple[str, ...]) -> Make:
    members = [getattr(entity_type, name, None) for name in names]
    slots = [member for member in members if isinstance(member, MemberDescriptorType)]
    if len(slots) < len(names):
        return _assigning(entity_type, names, _set)
    space: dict[str, Any] = {"new": _new, "entity_type": entity_type}
    space |= {f"set_{at}": slot.__set__ for at, slot in enumerate(slots)}
    values = ", ".join(f"value_{at}" for at in range(len(names)))
    calls = "; ".join(f"set_{at}(entity, value_{at})" for at in range(len(names)))
    exec(FILL.format(values=values, calls=calls), space)  # noqa: S102  # Numbers only.
    make: Make = space["make"]
    return make


@cache
def _assigning(entity_type: Any, names: tuple[str, ...], assign: Callable[..., None]) -> Make:
    def make(row: Sequence[Any]) -> Any:
        entity: Any = _new(entity_type)
        for name, value in zip(names, row, strict=True):
            assign(entity, name, value)
        return entity

    return make


def _uuid(text: Any, _cursor: object) -> UUID | None:
    """UUID(text) without its checks: PostgreSQL always writes the same form."""
    if text is None:
        return None
    made = _new(UUID)
    _set(made, "int", int(text.replace("-", ""), 16))
    _set(made, "is_safe", _of_unknown_safety)
    return made


UUIDS = new_type((UUID_OID,), "UUID", _uuid)
UUID_ARRAYS = new_array_type((UUID_ARRAY_OID,), "UUID[]", UUIDS)

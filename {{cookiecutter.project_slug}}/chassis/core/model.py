"""Entities that check their fields: assigning a value that breaks a rule raises an error."""

from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from functools import cache
from keyword import iskeyword
from types import UnionType
from typing import Annotated, Any, ClassVar, NamedTuple, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from chassis.core.errors import ValidationError
from chassis.core.identity import uuid7
from chassis.core.limits import EARLIEST
from chassis.core.rules import Choice, Integer, Plain, Rule

UNSTAMPED = EARLIEST  # `created_at` and `updated_at` before an entity is stored.
PLAIN = {bool, date, datetime, time, UUID}


class Declaration(NamedTuple):
    rule: Rule
    nullable: bool


@dataclass(eq=False, kw_only=True, slots=True)
class Value:
    """A part of an entity, without an identity: a line of an order."""

    def __setattr__(self, name: str, value: Any) -> None:
        """Raise ValidationError, with the field's name, for a value that breaks its rule."""
        kind: Any = type(self)
        declared = _declared(kind).get(name)
        if declared and not (value is None and declared.nullable):
            try:
                value = declared.rule.accept(value)
            except ValueError as error:
                raise ValidationError(f"{name}: {error}", field=name) from None
        object.__setattr__(self, name, value)

    def __post_init__(self) -> None:
        self.check_invariants()

    def check_invariants(self) -> None:
        """Raise ValidationError where fields do not fit each other: a subclass has the rule.

        Called when an entity is made, and after `change`.
        """

    def change(self, **values: Any) -> None:
        """Assign the given fields; None empties a field that may be empty."""
        for name, value in values.items():
            setattr(self, name, value)
        self.check_invariants()


@dataclass(eq=False, kw_only=True, slots=True)
class Model(Value):
    """An entity: it has an identity, and a version that counts its changes."""

    # `change` refuses these fields. A subclass adds those that only a method of its own may set.
    FIXED: ClassVar[frozenset[str]] = frozenset({"id", "version"})

    id: UUID = field(default_factory=uuid7)
    version: int = 1

    def change(self, **values: Any) -> None:
        """Assign the given fields. Raise AttributeError for one of FIXED."""
        if fixed := self.FIXED & values.keys():
            raise AttributeError(f"{', '.join(sorted(fixed))} cannot be changed.")
        Value.change(self, **values)


def declarations(kind: type) -> dict[str, Declaration]:
    """The rule of each field. A field without a rule, such as a list of children, is left out.

    Works for an entity that is not a Model, too; such an entity checks its fields itself.
    """
    hashable: Any = kind
    return _declared(hashable)


@cache
def _declared(kind: Any) -> dict[str, Declaration]:
    hints = get_type_hints(kind, include_extras=True)
    every = {name: _declaration(hint) for name, hint in hints.items()}
    return {name: one for name, one in every.items() if one}


def _declaration(hint: Any) -> Declaration | None:
    nullable = False
    if get_origin(hint) in {Union, UnionType}:
        kinds = [kind for kind in get_args(hint) if kind is not type(None)]
        if len(kinds) != 1 or len(get_args(hint)) == 1:
            return None
        [hint], nullable = kinds, True
    rule = _rule(hint)
    return Declaration(rule, nullable) if rule else None


def _rule(hint: Any) -> Rule | None:
    if get_origin(hint) is Annotated:
        return next((one for one in get_args(hint)[1:] if isinstance(one, Rule)), None)
    if hint is int:
        return Integer()
    if hint in PLAIN:
        return Plain(hint)
    return Choice(hint) if isinstance(hint, type) and issubclass(hint, StrEnum) else None


def is_plain_name(name: str) -> bool:
    """Whether code that is made at run time can name an attribute as it is."""
    return name.isascii() and name.isidentifier() and not iskeyword(name)

"""Checks at the start that a view returns the required fields of its response."""

from dataclasses import is_dataclass
from typing import Any, get_args, get_origin, get_type_hints

from flask import Flask
from marshmallow import Schema

from chassis.http.access.policies import operations
from chassis.http.flow.controllers import ControllerError
from chassis.http.flow.path_parameters import receiver
from chassis.schemas.serializer import is_usual, is_usual_schema


def require_output_fields(app: Flask) -> None:
    """Raise ControllerError for a required field that the returned entity cannot have.

    The entity is the view's annotation: `-> Note`, or `-> tuple[Note, …]`.
    """
    for _, _, _, view in operations(app):
        schema, (function, _) = getattr(view, "output", None), receiver(view)
        # A project's own wrapper may return something else.
        if schema is None or hasattr(function, "__wrapped__"):
            continue
        kind = _returned(function)
        for name in _required(schema) if kind else ():
            if not _may_have(kind, name):
                raise ControllerError(
                    f"{type(schema).__name__} requires {name!r}, and {kind.__name__}, which "
                    f"{function.__module__}.{function.__qualname__} returns, has no such field. "
                    f"Give {kind.__name__} a field or a property {name}, or take the field out of "
                    f"{type(schema).__name__}."
                )


def _returned(function: Any) -> Any:
    """The dataclass that a view returns, alone or with a status or headers; else None."""
    hint = get_type_hints(function).get("return")
    if get_origin(hint) is tuple:
        hint = get_args(hint)[0]
    return hint if isinstance(hint, type) and is_dataclass(hint) else None


def _required(schema: Schema) -> list[str]:
    """The attributes without which a field would be left out of the response."""
    fields = schema.dump_fields.items() if is_usual_schema(schema) else ()
    return [field.attribute or name for name, field in fields if field.required and is_usual(field)]


def _may_have(kind: Any, name: str) -> bool:
    """Whether an object may have the attribute: declared, set later, computed, or of a subclass."""
    return (
        hasattr(kind, name)
        or kind.__dictoffset__ != 0  # Without __slots__, an object may get any.
        or hasattr(kind, "__getattr__")
        or hasattr(kind, "__getitem__")
        or any(_may_have(below, name) for below in kind.__subclasses__())
    )

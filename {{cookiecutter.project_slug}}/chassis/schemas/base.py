"""The base of every schema. The service does not start with a looser schema."""

from collections.abc import Callable, Iterator
from functools import cached_property

import marshmallow
from marshmallow.exceptions import RegistryError
from marshmallow.fields import Field, Function, Method
from marshmallow.fields import List as MarshmallowList

from chassis.core.errors import DeclarationError
from chassis.schemas.fields import List, Nested, String
from chassis.schemas.loading import DirectSchema
from chassis.schemas.strict import Message, StrictField

IsWrong = Callable[[Field[object]], bool]
# A response may have these fields of marshmallow: String writes a text as it is, and the author of
# a Function or Method decides the form.
WRITTEN_ALIKE = {String, Function, Method}


class Schema(DirectSchema):
    """Rejects undeclared fields. Declare fields from chassis.schemas.fields."""

    error_messages = {
        "type": Message("Must be an object.", "type"),
        "unknown": Message("There is no such field to set.", "unknown"),
    }

    class Meta:
        unknown = marshmallow.RAISE

    @cached_property
    def listed(self) -> set[str]:
        return listed_in(self)


def listed_in(schema: marshmallow.Schema) -> set[str]:
    """The names of a schema's lists in a query string."""
    fields = schema.load_fields.items()
    return {field.data_key or name for name, field in fields if isinstance(field, MarshmallowList)}


class LooseSchemaError(DeclarationError):
    """A schema of requests would let an unchecked value in."""


def require_strict(schema: object) -> None:
    """Raise LooseSchemaError if the schema would let an unchecked value in."""
    if not isinstance(schema, Schema):
        raise LooseSchemaError(f"{schema!r} reads requests: make it a chassis.schemas.base.Schema.")
    loose = list(_wrong_fields(schema, "load_fields", _is_loose, {type(schema)}))
    if loose:
        raise LooseSchemaError(
            f"{', '.join(loose)}: a schema of requests needs fields of "
            "chassis.schemas.fields, which accept only values that the database can store."
        )


def require_written(schema: object) -> None:
    """Raise DeclarationError for marshmallow's own fields, which write values in other forms."""
    if isinstance(schema, marshmallow.Schema):
        bare = list(_wrong_fields(schema, "dump_fields", _is_bare, {type(schema)}))
        if bare:
            raise DeclarationError(
                f"{', '.join(bare)}: each field of a response has to be a field of "
                "chassis.schemas.fields; marshmallow's own of the same name writes numbers and "
                "times in other ways."
            )


def _wrong_fields(
    schema: marshmallow.Schema, fields: str, is_wrong: IsWrong, seen: set[type]
) -> Iterator[str]:
    """Yield the wrong fields in `fields` (load_fields or dump_fields) and in nested schemas."""
    for name, field in getattr(schema, fields).items():
        inner: Field[object] = field
        while isinstance(inner, List):
            inner = inner.inner
        if is_wrong(inner):
            yield f"{type(schema).__name__}.{name}"
        elif isinstance(inner, Nested):
            nested = _nested(schema, name, inner)
            if type(nested) not in seen:
                yield from _wrong_fields(nested, fields, is_wrong, seen | {type(nested)})


def _is_loose(field: Field[object]) -> bool:
    return not isinstance(field, StrictField)


def _is_bare(field: Field[object]) -> bool:
    return type(field).__module__ == Field.__module__ and type(field) not in WRITTEN_ALIKE


def _nested(schema: marshmallow.Schema, name: str, field: Nested) -> marshmallow.Schema:
    place = f"{type(schema).__name__}.{name}"
    cure = "Give Nested the class itself, or a lambda that returns the class."
    try:
        nested: object = field.schema
    except RegistryError as error:
        raise DeclarationError(f"{place}: there is no schema {field.nested!r}. {cure}") from error
    except (NameError, TypeError, ValueError) as error:
        raise DeclarationError(f"{place} has no usable schema: {error} {cure}") from error
    if not isinstance(nested, marshmallow.Schema):
        raise DeclarationError(f"{place}: {field.nested!r} is no schema. {cure}")
    return nested

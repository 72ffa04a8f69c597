"""What every schema of a request is made of. Looser ones are refused when the service starts."""

from collections.abc import Iterator

import marshmallow
from marshmallow.fields import Field

from chassis.core.errors import CodeError
from chassis.schemas.fields import List, Nested
from chassis.schemas.loading import DirectSchema
from chassis.schemas.strict import Message, StrictField


class Schema(DirectSchema):
    """Takes what it declares and nothing beside; its fields are those of chassis.schemas.fields."""

    error_messages = {
        "type": Message("Must be an object.", "type"),
        "unknown": Message("There is no such field to set.", "unknown"),
    }

    class Meta:
        unknown = marshmallow.RAISE


class LooseSchemaError(CodeError, TypeError):
    """A value would get in that nothing has looked at."""


def require_strict(schema: object) -> None:
    """Raise LooseSchemaError where a value would get in that nothing has looked at."""
    if not isinstance(schema, Schema):
        raise LooseSchemaError(f"{schema!r} reads requests: make it a chassis.schemas.base.Schema.")
    loose = list(_loose_fields(schema, {type(schema)}))
    if loose:
        raise LooseSchemaError(
            f"{', '.join(loose)}: what is read from a request has to be a field of "
            "chassis.schemas.fields, which looks at what the database can store."
        )


def _loose_fields(schema: marshmallow.Schema, seen: set[type]) -> Iterator[str]:
    for name, field in schema.load_fields.items():
        inner: Field[object] = field
        while isinstance(inner, List):
            inner = inner.inner
        if not isinstance(inner, StrictField):
            yield f"{type(schema).__name__}.{name}"
        elif isinstance(inner, Nested) and type(inner.schema) not in seen:
            yield from _loose_fields(inner.schema, seen | {type(inner.schema)})

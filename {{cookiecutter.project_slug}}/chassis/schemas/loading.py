"""Fields of a request's schema, asked directly: marshmallow's way round them takes several times as
long as they do. It goes that way where something is wrong, and so says the same.
"""

from collections.abc import Mapping
from typing import Any

import marshmallow
from marshmallow import ValidationError, missing
from marshmallow.fields import Field

ENABLED = True  # A test may leave everything to marshmallow.


class DirectSchema(marshmallow.Schema):
    _fields_in_order: "FieldsInOrder | None" = None

    # Hooks and validators of a schema stay marshmallow's, which calls this between them.
    def _deserialize(
        self, data: Any, *, many: bool = False, partial: Any = None, **options: Any
    ) -> Any:
        if ENABLED and type(data) is dict and not many and partial is None:
            in_order = self._fields_in_order
            # A schema that is nested is copied, and may then have other fields.
            if in_order is None or in_order.fields is not self.load_fields:
                in_order = self._fields_in_order = FieldsInOrder(self.load_fields)
            loaded = in_order.load(data, self.dict_class())
            if loaded is not None:
                return loaded
        return super()._deserialize(data, many=many, partial=partial, **options)


class FieldsInOrder:
    def __init__(self, fields: Mapping[str, Field[Any]]) -> None:
        self.fields = fields
        self._entries = [
            (name if field.data_key is None else field.data_key, field.attribute or name, field)
            for name, field in fields.items()
        ]
        self._have_usual_names = not any("." in attribute for _, attribute, _ in self._entries)

    def load(self, data: dict[str, Any], loaded: dict[str, Any]) -> dict[str, Any] | None:
        """None where a field is wrong, or there is one that nobody declared."""
        present = 0
        try:
            for key, attribute, field in self._entries:
                value = data.get(key, missing)
                if value is not missing:
                    present += 1
                value = field.deserialize(value, key, data)
                if value is not missing:
                    loaded[attribute] = value
        except ValidationError:
            return None
        return loaded if present == len(data) and self._have_usual_names else None

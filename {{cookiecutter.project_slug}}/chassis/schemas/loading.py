"""Loads a request by calling the fields directly, which is several times as fast as marshmallow.

If a value is wrong, marshmallow loads the request, so errors are the same.
"""

from collections.abc import Mapping
from typing import Any

import marshmallow
from marshmallow import ValidationError, missing
from marshmallow.fields import Field

ENABLED = True  # Tests set False, and marshmallow does everything.


class DirectSchema(marshmallow.Schema):
    _fields_in_order: "FieldsInOrder | None" = None

    # marshmallow still runs hooks and validators; it calls this in between.
    def _deserialize(
        self, data: Any, *, many: bool = False, partial: Any = None, **options: Any
    ) -> Any:
        if ENABLED and type(data) is dict and not many and (partial is None or partial is True):
            in_order = self._fields_in_order
            # Nested schemas are copies, and may have other fields.
            if in_order is None or in_order.fields is not self.load_fields:
                in_order = self._fields_in_order = FieldsInOrder(self.load_fields)
            loaded = in_order.load(data, self.dict_class(), partial=partial)
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

    def load(
        self, data: dict[str, Any], loaded: dict[str, Any], *, partial: bool | None
    ) -> dict[str, Any] | None:
        """The loaded values; None if a value is wrong or a field is not declared."""
        present = 0
        options = {"partial": True} if partial else {}
        try:
            for key, attribute, field in self._entries:
                value = data.get(key, missing)
                if value is not missing:
                    present += 1
                elif partial:
                    continue
                value = field.deserialize(value, key, data, **options)
                if value is not missing:
                    loaded[attribute] = value
        except ValidationError:
            return None
        return loaded if present == len(data) and self._have_usual_names else None

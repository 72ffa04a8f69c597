from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from chassis.core.errors import ConflictError
from chassis.core.model import Model
from chassis.core.rules import Integer, JsonObject, Number, Text


@dataclass(eq=False, kw_only=True, slots=True)
class Product(Model):
    """Something that is sold as long as there is some."""

    sku: Annotated[str, Text(40)]
    price: Annotated[Decimal, Number(10, 2, minimum=0)]
    stock: Annotated[int, Integer(0)] = 0
    attributes: Annotated[dict[str, Any], JsonObject()] = field(default_factory=dict)
    tag_ids: list[UUID] = field(default_factory=list)

    @property
    def available(self) -> bool:
        return self.stock > 0

    def take(self, quantity: int) -> None:
        """Raise ConflictError if there are fewer."""
        if quantity > self.stock:
            raise ConflictError(f"Of {self.sku} there are {self.stock} left.")
        self.stock -= quantity

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from chassis.core.errors import ConflictError, ValidationError
from chassis.core.model import UNSTAMPED, Model, Value
from chassis.core.rules import Integer, Number, Text

MOST_LINES = 50


class Status(StrEnum):
    PLACED = "placed"
    PAID = "paid"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"


NEXT = {
    Status.PLACED: {Status.PAID, Status.CANCELLED},
    Status.PAID: {Status.SHIPPED, Status.CANCELLED},
}


@dataclass(kw_only=True, slots=True)
class OrderLine(Value):
    product_id: UUID
    quantity: Annotated[int, Integer(1, 1000)]
    unit_price: Annotated[Decimal, Number(10, 2, minimum=0)]


@dataclass(eq=False, kw_only=True, slots=True)
class Order(Model):
    """What a customer wants, at the prices of the moment."""

    customer_id: UUID
    owner: Annotated[str, Text(200)]
    lines: list[OrderLine]
    status: Status = Status.PLACED
    total: Annotated[Decimal, Number(15, 2, minimum=0)] = field(init=False)
    created_at: datetime = UNSTAMPED
    updated_at: datetime = UNSTAMPED

    def __post_init__(self) -> None:
        """Raise ValidationError unless there are 1 to MOST_LINES lines."""
        if not 1 <= len(self.lines) <= MOST_LINES:
            raise ValidationError(f"An order has 1 to {MOST_LINES} lines.", field="lines")
        self.total = sum((one.quantity * one.unit_price for one in self.lines), Decimal(0))

    def become(self, status: Status) -> None:
        """Raise ConflictError where that does not follow its status."""
        if status not in NEXT.get(self.status, ()):
            raise ConflictError(f"What is {self.status} cannot become {status}.")
        self.status = status

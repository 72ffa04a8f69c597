from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from chassis.core.model import Model
from chassis.core.rules import Email, Text


class Tier(StrEnum):
    BASIC = "basic"
    GOLD = "gold"


@dataclass(eq=False, kw_only=True, slots=True)
class Customer(Model):
    """Somebody who orders."""

    name: Annotated[str, Text(100)]
    email: Annotated[str, Email()]
    tier: Tier = Tier.BASIC
    notes: Annotated[str, Text(2000)] | None = None

from dataclasses import dataclass
from typing import Annotated

from chassis.core.model import Model
from chassis.core.rules import Text


@dataclass(eq=False, kw_only=True, slots=True)
class Tag(Model):
    """A word that products are found by."""

    name: Annotated[str, Text(30)]

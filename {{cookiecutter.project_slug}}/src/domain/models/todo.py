from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from chassis.core.errors import ConflictError
from chassis.core.model import Model
from chassis.core.rules import Text
from src.domain.constants import TODO_TITLE_LENGTH


@dataclass(eq=False, kw_only=True, slots=True)
class Todo(Model):
    """Something to be done, once."""

    title: Annotated[str, Text(TODO_TITLE_LENGTH)]
    completed_at: datetime | None = None

    FIXED = Model.FIXED | {"completed_at"}

    def complete(self, at: datetime) -> None:
        """Mark the todo as done. Raise ConflictError if it is done already."""
        if self.completed_at is not None:
            raise ConflictError("The todo is already completed.")
        self.completed_at = at

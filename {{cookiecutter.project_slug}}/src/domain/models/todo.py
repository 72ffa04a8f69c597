from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from chassis.core.errors import ConflictError, ValidationError
from chassis.core.identity import uuid7
from src.domain.constants import TODO_TITLE_LENGTH


@dataclass(eq=False, kw_only=True, slots=True)
class Todo:
    """Something to be done, once."""

    title: str
    id: UUID = field(default_factory=uuid7)
    completed_at: datetime | None = None
    version: int = 1

    def __post_init__(self) -> None:
        self.rename(self.title)

    def rename(self, title: str) -> None:
        """Raise ValidationError unless the title has 1 to TODO_TITLE_LENGTH characters."""
        if not 1 <= len(title) <= TODO_TITLE_LENGTH:
            raise ValidationError(f"A title has 1 to {TODO_TITLE_LENGTH} characters.")
        self.title = title

    def complete(self, at: datetime) -> None:
        """Raise ConflictError if it is completed already."""
        if self.completed_at is not None:
            raise ConflictError("The todo is already completed.")
        self.completed_at = at

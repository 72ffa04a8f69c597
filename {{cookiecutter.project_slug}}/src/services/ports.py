"""What the services ask of the infrastructure."""

from abc import ABC, abstractmethod
from datetime import datetime
from typing import TypeAlias

from chassis.core import persistence
from src.domain.models.todo import Todo


class UnitOfWork(persistence.Transaction):
    """The repositories of one transaction."""

    todos: persistence.Repository[Todo]


UnitOfWorkFactory: TypeAlias = persistence.UnitOfWorkFactory[UnitOfWork]


class Clock(ABC):
    @abstractmethod
    def now(self) -> datetime:
        """The present moment, aware, in UTC."""

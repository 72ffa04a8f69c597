"""The ports of the services: what the infrastructure has to implement."""

from abc import ABC, abstractmethod
from datetime import datetime
from typing import TypeAlias

from chassis.core import persistence
from chassis.core.jobs import Jobs
from chassis.core.storage.file_repository import FileRepository
from src.domain.models.todo import Todo


class TodoRepository(persistence.Repository[Todo]):
    @abstractmethod
    def titled(self, title: str) -> list[Todo]:
        """The todos with exactly that title, the oldest first."""


class UnitOfWork(persistence.Transaction):
    """The repositories of one transaction."""

    jobs: Jobs
    todos: TodoRepository
    files: FileRepository


UnitOfWorkFactory: TypeAlias = persistence.UnitOfWorkFactory[UnitOfWork]


class Clock(ABC):
    @abstractmethod
    def now(self) -> datetime:
        """The present time, with its time zone: UTC."""

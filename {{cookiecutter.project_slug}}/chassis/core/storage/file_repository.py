from abc import abstractmethod
from collections.abc import Callable
from datetime import datetime
from typing import Protocol
from uuid import UUID

from chassis.core import persistence
from chassis.core.storage.stored_file import StoredFile


class FileRepository(persistence.Repository[StoredFile]):
    @abstractmethod
    def pending(self, before: datetime, after: UUID | None, limit: int) -> list[StoredFile]:
        """List files without a content that were announced before `before`, in the order of ids."""

    @abstractmethod
    def ready_keys(self, after: str, limit: int) -> list[str]:
        """List the keys of ready files that sort behind the key `after`, in their order."""


class FileWork(Protocol):
    """A unit of work that has `files` and can run an effect after its commit."""

    files: FileRepository

    def after_commit(self, action: Callable[[], object]) -> None: ...

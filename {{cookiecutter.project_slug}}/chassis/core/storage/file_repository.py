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
        """Those that were announced before then and have no content, by their ids."""

    @abstractmethod
    def ready_keys(self, after: str, limit: int) -> list[str]:
        """The keys behind that one, of files that have their content, in their order."""


class FileWork(Protocol):
    """What a unit of work has, so that files can be stored with it."""

    files: FileRepository

    def after_commit(self, action: Callable[[], object]) -> None: ...

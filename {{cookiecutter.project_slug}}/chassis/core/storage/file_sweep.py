"""Removes what uploads leave behind, in the database and in the store."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from chassis.core.errors import ConflictError
from chassis.core.persistence import Clock, UnitOfWorkFactory
from chassis.core.storage.file_repository import FileWork
from chassis.core.storage.file_store import FileStore, StoredObject
from chassis.core.storage.stored_file import INCOMING, KEPT, StoredFile

# Longer than any upload takes: what is younger may still become a file.
GRACE = timedelta(hours=24)
AT_A_TIME = 500


@dataclass(slots=True)
class Swept:
    """How many rows without a content and contents without a row there were, and what is lost.

    `missing` names files whose content is gone: nobody but a person can do something about that.
    """

    abandoned: int = 0
    orphans: int = 0
    missing: list[StoredFile] = field(default_factory=list)


class FileSweep:
    def __init__(
        self, unit_of_work: UnitOfWorkFactory[FileWork], store: FileStore, clock: Clock
    ) -> None:
        self._unit_of_work = unit_of_work
        self._store = store
        self._clock = clock

    def run(self, *, dry_run: bool = False) -> Swept:
        """Several at a time do no harm. Raise what FileStore and UnitOfWorkFactory raise."""
        swept, before = Swept(), self._clock.now() - GRACE
        for file in self._abandoned(before):
            swept.abandoned += dry_run or self._remove(file)
        for found in self._store.objects(INCOMING):
            self._sweep_object(found, before, swept, dry_run=dry_run)
        self._compare(before, swept, dry_run=dry_run)
        return swept

    def _abandoned(self, before: datetime) -> Iterator[StoredFile]:
        after: UUID | None = None
        while True:
            with self._unit_of_work(read_only=True) as work:
                files = work.files.pending(before, after, AT_A_TIME)
            yield from files
            if len(files) < AT_A_TIME:
                return
            after = files[-1].id

    def _remove(self, file: StoredFile) -> bool:
        """False if it got its content, or was removed, just now."""
        try:
            with self._unit_of_work() as work:
                work.files.remove(file)
        except ConflictError:
            return False
        self._store.delete(file.key)
        return True

    def _compare(self, before: datetime, swept: Swept, *, dry_run: bool) -> None:
        """Go through contents and rows side by side: both are in the order of their keys."""
        keys = self._keys()
        key = next(keys, None)
        for found in self._store.objects(KEPT):
            while key is not None and key < found.key:
                self._note_missing(key, swept)
                key = next(keys, None)
            if key == found.key:
                key = next(keys, None)
            else:
                self._sweep_object(found, before, swept, dry_run=dry_run)
        while key is not None:
            self._note_missing(key, swept)
            key = next(keys, None)

    def _keys(self) -> Iterator[str]:
        after = ""
        while True:
            with self._unit_of_work(read_only=True) as work:
                keys = work.files.ready_keys(after, AT_A_TIME)
            yield from keys
            if len(keys) < AT_A_TIME:
                return
            after = keys[-1]

    def _sweep_object(
        self, found: StoredObject, before: datetime, swept: Swept, *, dry_run: bool
    ) -> None:
        """Delete it, if it is old and, looked at now, nothing has it."""
        if found.modified_at < before and not self._file_at(found.key):
            swept.orphans += 1
            if not dry_run:
                self._store.delete(found.key)

    def _note_missing(self, key: str, swept: Swept) -> None:
        """Unless the file has just been removed: its content goes after its row."""
        if self._store.stat(key) is None and (file := self._file_at(key)):
            swept.missing.append(file)

    def _file_at(self, key: str) -> StoredFile | None:
        with self._unit_of_work(read_only=True) as work:
            return work.files.find(key=key)

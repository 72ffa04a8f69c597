"""Removes abandoned uploads from the database and from the file store."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from chassis.core.errors import ConflictError
from chassis.core.persistence import Clock, UnitOfWorkFactory
from chassis.core.storage.file_repository import FileWork
from chassis.core.storage.file_store import FileStore, StoredObject
from chassis.core.storage.stored_file import INCOMING, KEPT, StoredFile

# Longer than any upload takes: a younger upload may still be completed.
GRACE = timedelta(hours=24)
AT_A_TIME = 500


@dataclass(slots=True)
class Swept:
    """The numbers of removed rows without a content and of removed contents without a row.

    `missing` names ready files whose content is missing, which a person has to look into.
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
        """Sweep once; concurrent sweeps are safe.

        Raise what FileStore and UnitOfWorkFactory raise.
        """
        swept, before = Swept(), self._clock.now() - GRACE
        for file in self._abandoned(before):
            swept.abandoned += dry_run or self._remove(file)
        for stored in self._store.objects(INCOMING):
            self._sweep_object(stored, before, swept, dry_run=dry_run)
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
        """Return False where the file got its content, or was deleted, in the meantime."""
        try:
            with self._unit_of_work() as work:
                work.files.remove(file)
        except ConflictError:
            return False
        self._store.delete(file.key)
        return True

    def _compare(self, before: datetime, swept: Swept, *, dry_run: bool) -> None:
        """Merge contents and rows, which are both sorted by key, to find keys that only one has."""
        keys = self._keys()
        key = next(keys, None)
        for stored in self._store.objects(KEPT):
            while key is not None and key < stored.key:
                self._note_missing(key, swept)
                key = next(keys, None)
            if key == stored.key:
                key = next(keys, None)
            else:
                self._sweep_object(stored, before, swept, dry_run=dry_run)
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
        self, stored: StoredObject, before: datetime, swept: Swept, *, dry_run: bool
    ) -> None:
        """Delete an old content, unless the database now has a file with its key."""
        if stored.modified_at < before and not self._file_at(stored.key):
            swept.orphans += 1
            if not dry_run:
                self._store.delete(stored.key)

    def _note_missing(self, key: str, swept: Swept) -> None:
        """Note a missing content, unless the file was just deleted: the row is deleted first."""
        if self._store.stat(key) is None and (file := self._file_at(key)):
            swept.missing.append(file)

    def _file_at(self, key: str) -> StoredFile | None:
        with self._unit_of_work(read_only=True) as work:
            return work.files.find(key=key)

"""Uploads, downloads and deletions of files. A content is checked once, and never changes."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from chassis.core.errors import ConflictError, NotFoundError, UnavailableError, ValidationError
from chassis.core.paging import PageQuery
from chassis.core.persistence import UnitOfWorkFactory
from chassis.core.storage.file_repository import FileWork
from chassis.core.storage.file_store import FileStore, StoredObject, UploadForm
from chassis.core.storage.media_types import HEAD_BYTES, fits
from chassis.core.storage.scanner import Scanner
from chassis.core.storage.stored_file import COMPLETE, FileState, StoredFile

FORM_SECONDS = 15 * 60
DOWNLOAD_SECONDS = 5 * 60

logger = logging.getLogger(__name__)


class Download(NamedTuple):
    """`url` serves the content. Where it is None, `pieces` yields the content."""

    file: StoredFile
    url: str | None
    pieces: Iterator[bytes]


class FileService:
    """Announces, receives, serves and deletes files.

    Only its owner sees a file: for all others, the file does not exist. An announced file gets its
    content by an upload form and `complete`, or by `receive`. Each method also raises the errors of
    UnitOfWorkFactory, Repository and FileStore.
    """

    def __init__(
        self,
        unit_of_work: UnitOfWorkFactory[FileWork],
        store: FileStore,
        scanner: Scanner | None,
        *,
        types: Sequence[str],
        max_bytes: int,
    ) -> None:
        """`types` are the accepted media types. Without a scanner, no content is scanned."""
        self._unit_of_work = unit_of_work
        self._store = store
        self._scanner = scanner
        self._types = frozenset(types)
        self._max_bytes = max_bytes

    def page(self, query: PageQuery, *, owner: str) -> list[StoredFile]:
        with self._unit_of_work(read_only=True) as work:
            return work.files.where(owner=owner).page(query)

    def read(self, file_id: UUID, *, owner: str) -> StoredFile:
        with self._unit_of_work(read_only=True) as work:
            return work.files.where(owner=owner).get(file_id)

    def announce(
        self, *, owner: str, name: str, media_type: str, size: int, sha256: str
    ) -> StoredFile:
        """Record a file that will be uploaded. Raise ValidationError for its type or size."""
        if media_type not in self._types:
            raise ValidationError(
                f"The accepted types are {', '.join(sorted(self._types))}.", field="media_type"
            )
        if size > self._max_bytes:
            raise ValidationError(f"A file has {self._max_bytes} bytes at most.", field="size")
        file = StoredFile(owner=owner, name=name, media_type=media_type, size=size, sha256=sha256)
        with self._unit_of_work() as work:
            work.files.add(file)
        return file

    def upload_form(self, file_id: UUID, *, owner: str) -> UploadForm | None:
        """Return a form for the upload; None where the store has none, so that `receive` is used.

        Raise NotFoundError for a file that has its content.
        """
        file = self.read(file_id, owner=owner)
        if file.state is FileState.READY:
            raise NotFoundError(COMPLETE)
        return self._store.upload_form(file, FORM_SECONDS)

    def complete(self, file_id: UUID, *, owner: str) -> StoredFile:
        """Check the upload and make the file ready. A second call has no effect.

        Raise ConflictError where nothing was uploaded, or the upload changes during the check.
        Raise ValidationError, and delete the upload, where the content is another one, or harmful.
        """
        file = self.read(file_id, owner=owner)
        if file.state is FileState.READY:
            return file
        stored = self._store.stat(file.key)
        if stored is None:
            raise ConflictError("Nothing was uploaded yet.")
        with self._forgetting(file):
            self._require_announced(file, stored)
            self._require_clean(file, stored)
        key = file.fresh_key()
        # The store rejects the copy where the content is no longer the one that was checked.
        self._store.copy(stored, key, file.media_type)
        return self._keep(file, key)

    def receive(self, file_id: UUID, pieces: Iterable[bytes], *, owner: str) -> StoredFile:
        """Store a content piece by piece. Raise as `complete`; for a ready file, ConflictError."""
        file = self.read(file_id, owner=owner)
        if file.state is FileState.READY:
            raise ConflictError(COMPLETE)
        key = file.fresh_key()
        self._store.write(key, file.media_type, announced(file, pieces))
        if self._scanner:
            self._scan_received(file, key)
        return self._keep(file, key)

    def download(self, file_id: UUID, *, owner: str) -> Download:
        """Return how to get the content. Raise NotFoundError for a file without one."""
        file = self.read(file_id, owner=owner)
        if file.state is not FileState.READY:
            raise NotFoundError("The file has no content yet.")
        if url := self._store.download_url(file, DOWNLOAD_SECONDS):
            return Download(file, url, iter(()))
        return Download(file, None, self.pieces(file))

    def pieces(self, file: StoredFile) -> Iterator[bytes]:
        """Yield the content of a file in pieces, for example for a task that processes it."""
        if (stored := self._store.stat(file.key)) is None:
            raise NotFoundError("The content of the file is lost.")
        return self._store.read(stored)

    def delete(self, file_id: UUID, *, owner: str) -> None:
        """Delete a file and its content.

        Raise ConflictError where another row refers to the file.
        """
        with self._unit_of_work() as work:
            self.discard(work, work.files.where(owner=owner).get(file_id))

    def discard(self, work: FileWork, file: StoredFile) -> None:
        """Delete the file in an open unit of work; its content is deleted after the commit."""
        work.files.remove(file)
        work.after_commit(self._deletion(file.key))

    @staticmethod
    def take(work: FileWork, file_id: UUID, *, owner: str) -> StoredFile:
        """Return and lock a ready file, so that a row of this unit of work can refer to it.

        Raise ValidationError for the field `file_id` where the owner has no such file.
        """
        files = work.files.where(owner=owner, state=FileState.READY).get_many([file_id], lock=True)
        if file_id not in files:
            raise ValidationError("No file with a content has this id.", field="file_id")
        return files[file_id]

    def _scan_received(self, file: StoredFile, key: str) -> None:
        if (stored := self._store.stat(key)) is None:
            raise UnavailableError("The content that was stored cannot be read yet.")
        try:
            self._require_clean(file, stored)
        except ValidationError:
            self._store.delete(key)
            raise

    def _keep(self, file: StoredFile, key: str) -> StoredFile:
        """Store the checked content, then commit.

        Where the commit fails, `files sweep` removes it.
        """
        with self._unit_of_work() as work:
            stored = work.files.where(owner=file.owner).get(file.id, lock=True)
            uploaded = stored.key
            stored.accept(key)
            work.files.save(stored)
            work.after_commit(self._deletion(uploaded))
        return stored

    def _deletion(self, key: str) -> Callable[[], None]:
        return lambda: self._store.delete(key)

    @contextmanager
    def _forgetting(self, file: StoredFile) -> Iterator[None]:
        try:
            yield
        except ValidationError as error:
            logger.warning("The upload of file %s is refused: %s", file.id, error)
            self._store.delete(file.key)
            raise

    def _require_announced(self, file: StoredFile, stored: StoredObject) -> None:
        """Compare size and SHA-256 with the announced ones; compute a missing checksum."""
        if stored.sha256 is None:
            for _ in announced(file, self._store.read(stored)):
                pass
            return
        if stored.size != file.size or stored.sha256 != file.sha256:
            raise _another()
        _require_type(file, b"".join(self._store.read(stored, first=HEAD_BYTES)))

    def _require_clean(self, file: StoredFile, stored: StoredObject) -> None:
        if self._scanner and (finding := self._scanner.finding(self._store.read(stored))):
            logger.warning("File %s is refused: the scanner found %s.", file.id, finding)
            raise ValidationError("The content is harmful.", field="content")


def announced(file: StoredFile, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the pieces; raise ValidationError as soon as they differ from the announced content."""
    digest, size = sha256(), 0
    head: bytes | None = b""
    for piece in pieces:
        digest.update(piece)
        size += len(piece)
        if size > file.size:
            raise _another()
        if head is None:
            yield piece
            continue
        head += piece
        if len(head) >= min(HEAD_BYTES, file.size):
            _require_type(file, head[:HEAD_BYTES])
            yield head
            head = None
    if size != file.size or digest.hexdigest() != file.sha256:
        raise _another()


def _require_type(file: StoredFile, head: bytes) -> None:
    if not fits(file.media_type, head):
        raise ValidationError(f"The content is not {file.media_type}.", field="media_type")


def _another() -> ValidationError:
    return ValidationError(
        "The content is not the announced one: its size or SHA-256 differs.",
        field="sha256",
    )

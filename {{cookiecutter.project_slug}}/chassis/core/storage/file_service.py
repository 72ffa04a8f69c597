"""Uploads, downloads and removals. A content is checked once, and cannot change afterwards."""

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
    """`url` serves the content; where it is None, `pieces` are the content."""

    file: StoredFile
    url: str | None
    pieces: Iterator[bytes]


class FileService:
    """Each method raises what UnitOfWorkFactory, Repository and FileStore raise.

    Only its `owner` sees a file: to others it does not exist. A file that is announced gets its
    content from an upload form and `complete`, or from `receive`.
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
        """`types` are the media types that are taken; without a scanner nothing is scanned."""
        self._unit_of_work = unit_of_work
        self._store = store
        self._scanner = scanner
        self._types = frozenset(types)
        self._max_bytes = max_bytes

    def page(self, query: PageQuery, *, owner: str) -> list[StoredFile]:
        with self._unit_of_work(read_only=True) as work:
            return work.files.where(owner=owner).page(query)

    def get(self, file_id: UUID, *, owner: str) -> StoredFile:
        with self._unit_of_work(read_only=True) as work:
            return work.files.where(owner=owner).get(file_id)

    def announce(
        self, *, owner: str, name: str, media_type: str, size: int, sha256: str
    ) -> StoredFile:
        """Expect a content. Raise ValidationError for a type or a size that is not taken."""
        if media_type not in self._types:
            raise ValidationError(
                f"Taken are {', '.join(sorted(self._types))}.", field="media_type"
            )
        if size > self._max_bytes:
            raise ValidationError(f"A file has {self._max_bytes} bytes at most.", field="size")
        file = StoredFile(owner=owner, name=name, media_type=media_type, size=size, sha256=sha256)
        with self._unit_of_work() as work:
            work.files.add(file)
        return file

    def upload_form(self, file_id: UUID, *, owner: str) -> UploadForm | None:
        """None where contents come through `receive` only.

        Raise NotFoundError for a file that has its content: no other one is awaited.
        """
        file = self.get(file_id, owner=owner)
        if file.state is FileState.READY:
            raise NotFoundError(COMPLETE)
        return self._store.upload_form(file, FORM_SECONDS)

    def complete(self, file_id: UUID, *, owner: str) -> StoredFile:
        """Check what was uploaded, and keep it. Again, it has no further effect.

        Raise ConflictError if nothing was uploaded or it is changed meanwhile; ValidationError,
        and forget the upload, for a content that is not the announced one.
        """
        file = self.get(file_id, owner=owner)
        if file.state is FileState.READY:
            return file
        found = self._store.stat(file.key)
        if found is None:
            raise ConflictError("Nothing was uploaded yet.")
        with self._forgetting(file):
            self._require_announced(file, found)
            self._require_clean(file, found)
        key = file.fresh_key()
        self._store.copy(found, key, file.media_type)  # Refused, if it is not what was checked.
        return self._keep(file, key)

    def receive(self, file_id: UUID, pieces: Iterable[bytes], *, owner: str) -> StoredFile:
        """Take the content itself, in memory piece by piece; raise as `complete` does."""
        file = self.get(file_id, owner=owner)
        if file.state is FileState.READY:
            raise ConflictError(COMPLETE)
        key = file.fresh_key()
        self._store.write(key, file.media_type, announced(file, pieces))
        if self._scanner:
            self._scan_received(file, key)
        return self._keep(file, key)

    def download(self, file_id: UUID, *, owner: str) -> Download:
        """Raise NotFoundError for a file without a content."""
        file = self.get(file_id, owner=owner)
        if file.state is not FileState.READY:
            raise NotFoundError("The file has no content yet.")
        if url := self._store.download_url(file, DOWNLOAD_SECONDS):
            return Download(file, url, iter(()))
        return Download(file, None, self.pieces(file))

    def pieces(self, file: StoredFile) -> Iterator[bytes]:
        """Its content, in memory piece by piece, for what works on it."""
        if (found := self._store.stat(file.key)) is None:
            raise NotFoundError("The content of the file is lost.")
        return self._store.read(found)

    def delete(self, file_id: UUID, *, owner: str) -> None:
        """Raise ConflictError for a file that something refers to."""
        with self._unit_of_work() as work:
            self.discard(work, work.files.where(owner=owner).get(file_id))

    def discard(self, work: FileWork, file: StoredFile) -> None:
        """Delete it in a unit of work that is open; its content goes after the commit."""
        work.files.remove(file)
        work.after_commit(self._deletion(file.key))

    @staticmethod
    def take(work: FileWork, file_id: UUID, *, owner: str) -> StoredFile:
        """A file that has its content, locked for a unit of work that is going to refer to it.

        Raise ValidationError, for the field `file_id`, if there is none.
        """
        found = work.files.where(owner=owner, state=FileState.READY).get_many([file_id], lock=True)
        if file_id not in found:
            raise ValidationError("There is no such file with a content.", field="file_id")
        return found[file_id]

    def _scan_received(self, file: StoredFile, key: str) -> None:
        if (found := self._store.stat(key)) is None:
            raise UnavailableError("The content that was stored cannot be read yet.")
        try:
            self._require_clean(file, found)
        except ValidationError:
            self._store.delete(key)
            raise

    def _keep(self, file: StoredFile, key: str) -> StoredFile:
        """What is stored and not kept, the sweep removes: a commit may fail after it was done."""
        with self._unit_of_work() as work:
            kept = work.files.where(owner=file.owner).get(file.id, lock=True)
            uploaded = kept.key
            kept.accept(key)
            work.files.save(kept)
            work.after_commit(self._deletion(uploaded))
        return kept

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

    def _require_announced(self, file: StoredFile, found: StoredObject) -> None:
        """By what the store knows; a checksum that it does not know is computed."""
        if found.sha256 is None:
            for _ in announced(file, self._store.read(found)):
                pass
            return
        if found.size != file.size or found.sha256 != file.sha256:
            raise _another()
        _require_type(file, b"".join(self._store.read(found, first=HEAD_BYTES)))

    def _require_clean(self, file: StoredFile, found: StoredObject) -> None:
        if self._scanner and (finding := self._scanner.finding(self._store.read(found))):
            logger.warning("File %s is refused: it has %s.", file.id, finding)
            raise ValidationError("The content is harmful.", field="content")


def announced(file: StoredFile, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Let the pieces through; raise ValidationError as soon as they are not those announced."""
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
        "The content is not the one that was announced: its size or SHA-256 is another.",
        field="sha256",
    )

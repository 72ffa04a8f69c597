"""A file store in a folder of one machine, for development without S3."""

import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile

from chassis.core.storage.file_store import (
    ContentChangedError,
    FileStore,
    StoredObject,
    UploadForm,
)
from chassis.core.storage.stored_file import StoredFile

PIECE_BYTES = 256 * 1024


class DiskStore(FileStore):
    """Has no upload forms and no download URLs: contents are sent through the API."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def upload_form(self, file: StoredFile, seconds: int) -> UploadForm | None:
        del file, seconds
        return None

    def download_url(self, file: StoredFile, seconds: int) -> str | None:
        del file, seconds
        return None

    def stat(self, key: str) -> StoredObject | None:
        try:
            return _described(key, self._path(key).stat())
        except FileNotFoundError:
            return None

    def read(self, stored: StoredObject, *, first: int | None = None) -> Iterator[bytes]:
        left = stored.size if first is None else first
        try:
            content = self._path(stored.key).open("rb")
        except FileNotFoundError as error:
            raise ContentChangedError from error
        # `write` replaces the file and never changes it, so the open one stays the same.
        with content:
            if _described(stored.key, os.fstat(content.fileno())).etag != stored.etag:
                raise ContentChangedError
            while left > 0 and (piece := content.read(min(left, PIECE_BYTES))):
                left -= len(piece)
                yield piece

    def write(self, key: str, media_type: str, pieces: Iterable[bytes]) -> None:
        del media_type
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with NamedTemporaryFile(dir=self._folder, prefix=".new-", delete=False) as content:
            try:
                content.writelines(pieces)
            except BaseException:
                Path(content.name).unlink()
                raise
        Path(content.name).replace(path)

    def copy(self, stored: StoredObject, key: str, media_type: str) -> None:
        self.write(key, media_type, self.read(stored))

    def delete(self, key: str) -> None:
        self._path(key).unlink(missing_ok=True)

    def objects(self, prefix: str) -> Iterator[StoredObject]:
        keys = (path.relative_to(self._folder).as_posix() for path in self._folder.rglob("[!.]*"))
        for key in sorted(key for key in keys if key.startswith(prefix)):
            stored = self.stat(key)
            if stored and self._path(key).is_file():
                yield stored

    def prepare(self, origins: Iterable[str]) -> list[str]:
        del origins
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return [f"Contents are stored in {self._folder}."]

    def _path(self, key: str) -> Path:
        """Raise ValueError for a key that would lead out of the folder."""
        path = self._folder / key
        if not key or not path.resolve().is_relative_to(self._folder.resolve()):
            raise ValueError(f"{key!r} is not a path in the folder.")
        return path


def _described(key: str, status: os.stat_result) -> StoredObject:
    return StoredObject(
        key,
        status.st_size,
        f"{status.st_ino}-{status.st_mtime_ns}-{status.st_size}",
        datetime.fromtimestamp(status.st_mtime, UTC),
    )

"""The port of a file store: S3, or a folder in development."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from chassis.core.errors import ConflictError
from chassis.core.storage.stored_file import StoredFile


class ContentChangedError(ConflictError):
    """The content changed after `stat` described it."""

    def __init__(self) -> None:
        super().__init__("The content was changed while it was checked. Send the content again.")


@dataclass(frozen=True, slots=True)
class StoredObject:
    """A stored content. `size` is in bytes; each change makes another `etag`.

    `sha256` is in hexadecimal digits, None where the store does not know it.
    """

    key: str
    size: int
    etag: str
    modified_at: datetime
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class UploadForm:
    """A POST of multipart/form-data: `fields`, then the content as the last field, `file`."""

    url: str
    fields: dict[str, str]
    expires_at: datetime


class FileStore(ABC):
    """Stores contents by key.

    Each method raises UnavailableError where the store does not answer.
    """

    @abstractmethod
    def upload_form(self, file: StoredFile, seconds: int) -> UploadForm | None:
        """Return a form with which a client can upload the announced content, and no other one.

        The form is valid for `seconds`. Return None where the store has no forms: then contents are
        sent through the API.
        """

    @abstractmethod
    def download_url(self, file: StoredFile, seconds: int) -> str | None:
        """Return a URL that serves the content as an attachment for `seconds`, or None."""

    @abstractmethod
    def stat(self, key: str) -> StoredObject | None:
        """Describe the content at the key; None where there is none."""

    @abstractmethod
    def read(self, stored: StoredObject, *, first: int | None = None) -> Iterator[bytes]:
        """Yield the content, or its `first` bytes.

        Raise ContentChangedError where it has changed.
        """

    @abstractmethod
    def write(self, key: str, media_type: str, pieces: Iterable[bytes]) -> None:
        """Store the joined pieces. Where reading them raises, nothing is stored."""

    @abstractmethod
    def copy(self, stored: StoredObject, key: str, media_type: str) -> None:
        """Copy the content to another key. Raise ContentChangedError where it has changed."""

    @abstractmethod
    def delete(self, key: str) -> None:
        """Delete the content at the key, if there is one."""

    @abstractmethod
    def objects(self, prefix: str) -> Iterator[StoredObject]:
        """Yield the contents whose keys begin with the prefix, in the order of keys."""

    @abstractmethod
    def prepare(self, origins: Iterable[str]) -> list[str]:
        """Set up a new store, and let browsers of `origins` upload. Return what was done."""


def attachment(name: str) -> str:
    """A Content-Disposition that makes browsers save the file (RFC 6266, encoded by RFC 8187)."""
    plain = "".join(one if one.isascii() and one not in '"\\%' else "_" for one in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"

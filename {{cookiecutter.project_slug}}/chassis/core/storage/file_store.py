"""What the service asks of a store of contents: S3, or a folder in development."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from chassis.core.errors import ConflictError
from chassis.core.storage.stored_file import StoredFile


class ContentChangedError(ConflictError):
    """The content is not the one that was looked at before."""

    def __init__(self) -> None:
        super().__init__("The content was changed while it was checked. Send it again.")


@dataclass(frozen=True, slots=True)
class StoredObject:
    """`etag` is another one after each change; `sha256`, in hexadecimal digits, where it is known.

    `size` is in bytes.
    """

    key: str
    size: int
    etag: str
    modified_at: datetime
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class UploadForm:
    """A multipart/form-data POST: these fields, then the content as the last one, `file`."""

    url: str
    fields: dict[str, str]
    expires_at: datetime


class FileStore(ABC):
    """Each method raises UnavailableError if the store does not answer in time."""

    @abstractmethod
    def upload_form(self, file: StoredFile, seconds: int) -> UploadForm | None:
        """With it a client writes this one content, and no other one, at the file's key.

        None where the store has no such thing: then contents come through the API.
        """

    @abstractmethod
    def download_url(self, file: StoredFile, seconds: int) -> str | None:
        """Serves the content as an attachment for so long; None as above."""

    @abstractmethod
    def stat(self, key: str) -> StoredObject | None:
        """None if nothing is there."""

    @abstractmethod
    def read(self, found: StoredObject, *, first: int | None = None) -> Iterator[bytes]:
        """Its content in pieces, or its `first` bytes. Raise ContentChangedError."""

    @abstractmethod
    def write(self, key: str, media_type: str, pieces: Iterable[bytes]) -> None:
        """Store what the pieces make. Where they raise, nothing is stored."""

    @abstractmethod
    def copy(self, found: StoredObject, key: str, media_type: str) -> None:
        """Store the content that was found under another key. Raise ContentChangedError."""

    @abstractmethod
    def delete(self, key: str) -> None:
        """Also where nothing is there."""

    @abstractmethod
    def objects(self, prefix: str) -> Iterator[StoredObject]:
        """Those whose keys begin so, in the order of their keys."""

    @abstractmethod
    def prepare(self, origins: Iterable[str]) -> list[str]:
        """Set up what a new store needs; `origins` may upload from a browser. Say what was done."""


def attachment(name: str) -> str:
    """A Content-Disposition that no browser displays (RFC 6266; the encoding is RFC 8187's)."""
    plain = "".join(one if one.isascii() and one not in '"\\%' else "_" for one in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"

"""The entity of a file. The database has its name, type, size and state; a store its content."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from secrets import token_hex
from typing import Annotated, Any

from chassis.core.errors import ConflictError
from chassis.core.model import UNSTAMPED, Model
from chassis.core.rules import Choice, Integer, Text

LARGEST_FILE = 5_000_000_000  # Bytes, the most that S3 copies in one request.
# Prefixes of keys: of uploads before the check, and of contents after it.
INCOMING, KEPT = ("incoming/", "files/")
COMPLETE = "The file has its content already, and keeps it."


class FileState(StrEnum):
    PENDING = "pending"  # The file is announced; its content was not uploaded or not checked.
    READY = "ready"  # The content was checked, and never changes.


class FileName(Text):
    """A name without a path: no slash, backslash or control character."""

    def holds(self, value: Any) -> bool:
        return Text.holds(self, value) and all(
            one.isprintable() and one not in "/\\" for one in value
        )

    def sentence(self) -> str:
        return f"{Text.sentence(self)}, none of them a slash, a backslash or invisible"


class HexDigest(Text):
    """A text of hexadecimal digits in lower case."""

    def holds(self, value: Any) -> bool:
        return Text.holds(self, value) and set(value) <= set("0123456789abcdef")

    def sentence(self) -> str:
        return f"has {self.maximum} hexadecimal digits, in lower case"


@dataclass(eq=False, kw_only=True, slots=True)
class StoredFile(Model):
    """`size` is in bytes; `key` is the place of its content in the store."""

    owner: Annotated[str, Text(255)]
    name: Annotated[str, FileName(255)]
    media_type: Annotated[str, Text(127)]
    size: Annotated[int, Integer(1, LARGEST_FILE)]
    sha256: Annotated[str, HexDigest(64, 64)]
    state: Annotated[FileState, Choice(FileState)] = FileState.PENDING
    key: Annotated[str, Text(255, 0)] = ""
    created_at: datetime = UNSTAMPED

    def __post_init__(self) -> None:
        if not self.key:
            self.key = f"{INCOMING}{self.id}"

    def fresh_key(self) -> str:
        """Return a new random key for the checked content; no upload form allows this key."""
        return f"{KEPT}{self.id}/{token_hex(8)}"

    def accept(self, key: str) -> None:
        """Record the checked content at `key`. Raise ConflictError where the file has a content."""
        if self.state is FileState.READY:
            raise ConflictError(COMPLETE)
        self.key, self.state = key, FileState.READY

"""Drafts changes of files in memory, until all of them are known to work."""

import ast
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from difflib import unified_diff
from pathlib import Path

from chassis.development.generate.refusal import Refusal
from chassis.development.generate.splice import Insertion


class Draft:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.texts: dict[str, str | None] = {}  # None for a removed file.

    def read(self, path: str) -> str:
        """The text of a file, as drafted. Raise Refusal if it is missing or not Python."""
        text = self.find(path)
        if text is None:
            raise Refusal(f"There is no {path}. Nothing was written.")
        try:
            ast.parse(text)
        except (SyntaxError, ValueError) as error:
            raise Refusal(f"{path} is no Python: {error}. Nothing was written.") from error
        return text

    def find(self, path: str) -> str | None:
        if path in self.texts:
            return self.texts[path]
        content = _bytes(self.root / path)
        try:
            return None if content is None else content.decode()
        except UnicodeDecodeError as error:
            raise Refusal(f"{path} is not UTF-8. Nothing was written.") from error

    def create(self, path: str, text: str) -> None:
        if path in self.texts:
            raise Refusal(f"Two of these resources would have {path}. Choose another name.")
        if self.find(path) is not None:
            raise Refusal(f"{path} exists already. Nothing was written.")
        self.texts[path] = text

    def change(
        self, path: str, edit: Callable[..., tuple[str, Insertion | None]], *arguments: str
    ) -> list[Insertion]:
        """Edit a file in the draft; return the insertion, or nothing if no line is new."""
        self.texts[path], insertion = edit(path, self.read(path), *arguments)
        return [insertion] if insertion else []

    def files(self, folder: str) -> Iterator[str]:
        """The drafted Python files."""
        there = {
            file.relative_to(self.root).as_posix() for file in (self.root / folder).rglob("*.py")
        }
        drafted = {path for path in self.texts if path.startswith(f"{folder}/")}
        yield from (path for path in sorted(there | drafted) if self.find(path) is not None)

    def diff(self) -> str:
        """The difference as text; empty without a change."""
        return "".join(self._differences())

    def _differences(self) -> Iterator[str]:
        for path, text in sorted(self.texts.items()):
            file = self.root / path
            before = (_bytes(file) or b"").decode() if file.is_file() else None
            names = "/dev/null" if before is None else path, "/dev/null" if text is None else path
            was, now = ((one or "").splitlines(keepends=True) for one in (before, text))
            yield from unified_diff(was, now, *names)

    @contextmanager
    def written(self, *also: str) -> Iterator[None]:
        """Write all files. If the block fails, restore them, and those in `also`."""
        before = {path: _bytes(self.root / path) for path in (*self.texts, *also)}
        versions = set(self.root.glob("migrations/versions/*.py"))
        try:
            for path, text in self.texts.items():
                _put(self.root / path, None if text is None else text.encode())
            yield
        except BaseException as error:
            for path, content in before.items():
                _put(self.root / path, content)
            for revision in set(self.root.glob("migrations/versions/*.py")) - versions:
                revision.unlink()
            if isinstance(error, OSError):
                raise Refusal(
                    f"{error.filename}: {error.strerror}. Nothing was written."
                ) from error
            raise


def _bytes(file: Path) -> bytes | None:
    return file.read_bytes() if file.is_file() else None


def _put(file: Path, content: bytes | None) -> None:
    if content is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    elif file.exists():
        file.unlink()
        if file.parent.name == ".generated" and not any(file.parent.iterdir()):
            file.parent.rmdir()

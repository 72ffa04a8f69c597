"""Conflicts that git left, resolved by what a module defines and by a document's chapters."""

from collections.abc import Callable, Iterator
from pathlib import Path

from chassis.development.template.git import git

from updates import members, sections
from updates.pieces import ConflictError, members_of
from updates.renames import read

Home = Callable[[str, str], str | None]  # Of a path and a name: the statement that imports it.
CONTAINER = "chassis/container.py"
STAGES = ("1", "2", "3")  # Of a conflict: as it was generated, the project's, the template's.


def nowhere(_path: str, _name: str) -> None:
    return None


def resolve(root: Path, home: Home = nowhere) -> Iterator[tuple[str, str]]:
    """Each path with nothing, or with the reason why it is left to a person."""
    stages: dict[str, list[str]] = {}
    for line in git("ls-files", "--unmerged", "-z", cwd=root).split("\0"):
        if line:
            facts, _, path = line.partition("\t")
            stages.setdefault(path, []).append(facts.split()[2])
    for path, found in stages.items():
        if tuple(found) == STAGES and path.endswith((".py", ".md")):
            texts = [git("show", f":{stage}:./{path}", cwd=root) + "\n" for stage in STAGES]
            yield path, merge(root, path, texts, home)


def merge(root: Path, path: str, texts: list[str], home: Home = nowhere) -> str:
    """Write it, and return nothing; or the reason why it cannot be."""
    base, ours, new = (text.replace("\r\n", "\n") for text in texts)
    try:
        if path.endswith(".md"):
            text = sections.merge(base, ours, new)
        else:
            inherited = members_of(plain(root / CONTAINER), "ServiceContainer")
            text = members.Merge(base, ours, new, lambda name: home(path, name), inherited).run()
    except ConflictError as conflict:
        return str(conflict)
    except SyntaxError as error:
        return f"it is no Python: {error.msg}, line {error.lineno}"
    write(root, path, text, crlf="\r\n" in texts[1])
    return ""


def write(root: Path, path: str, text: str, *, crlf: bool) -> None:
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text.replace("\n", "\r\n") if crlf else text, "utf-8", newline="")
    git("add", "--", path, cwd=root)


def plain(path: Path) -> str:
    return read(path).replace("\r\n", "\n")

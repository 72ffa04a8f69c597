"""Resolves conflicts of git by the definitions of a module, or by the chapters of a document."""

from collections.abc import Callable, Iterator
from pathlib import Path

from chassis.development.template.git import git

from updates import members, sections
from updates.pieces import ConflictError, members_of
from updates.renames import read

# Takes a path and a name, and returns the statement that imports the name.
Home = Callable[[str, str], str | None]
CONTAINER = "chassis/container.py"
# The three versions of a conflict: as generated, the project's, the template's.
STAGES = ("1", "2", "3")


def nowhere(_path: str, _name: str) -> None:
    return None


def resolve(root: Path, home: Home = nowhere) -> Iterator[tuple[str, str]]:
    """Resolve conflicts; yield each path with "", or with the reason why a person has to decide."""
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
    """Write the merged file and return ""; or return the reason why it cannot be merged."""
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
        return f"it is not valid Python: {error.msg}, line {error.lineno}"
    write(root, path, text, crlf="\r\n" in texts[1])
    return ""


def write(root: Path, path: str, text: str, *, crlf: bool) -> None:
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text.replace("\n", "\r\n") if crlf else text, "utf-8", newline="")
    git("add", "--", path, cwd=root)


def plain(path: Path) -> str:
    return read(path).replace("\r\n", "\n")

"""Renames files of a project, and rewrites imports and other lines that name them.

A second run changes nothing. Revisions are history and are never changed.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

MAPPING = Path(__file__).with_name("mapping.txt")
TEXTS = {".md", ".toml", ".txt", ".yaml", ".yml", ".sh", ".sql", ".mako", ".py", ".cfg", ".ini"}
SKIPPED = {".git", ".venv", "node_modules", "__pycache__", ".postgres"}
REVISIONS = ("migrations", "versions")
LONGEST_LINE = 100
OWN = ("src.", "chassis.", "tests.support.")
DOTTED = re.compile(r"(?<![\w./-])(?:src|chassis|tests\.support)(?:\.\w+)+")
# Without `from … import`, because each imported name may move elsewhere.
IMPORTED = re.compile(DOTTED.pattern + r"(?![\w.]| import\b)")
# An import in a string or in a document.
INSIDE = re.compile(r"from ((?:src|chassis|tests\.support)[\w.]*) import (\w+)\b(?! *[,(])")
PATH = re.compile(r"(?<![\w.-])(?:src|chassis|tests/support)/[\w/]+\.(?:py|sql)\b")
OPERATIONS = "src/infrastructure/maintenance/operations.py"
FORWARD = '''\
"""Where revisions of before version 2.0 look for what chassis.migrations.operations has."""

from chassis.migrations.operations import (
    add_enum_value,
    create_index_concurrently,
    drop_index_concurrently,
)

__all__ = ["add_enum_value", "create_index_concurrently", "drop_index_concurrently"]
'''


def module_of(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


@dataclass
class Mapping:
    """Moved files, and names that moved from one module to another."""

    files: dict[str, str] = field(default_factory=dict)
    names: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))

    @classmethod
    def read(cls, path: Path = MAPPING) -> "Mapping":
        mapping = cls()
        for line in path.read_text("utf-8").splitlines():
            if " -> " in line:
                old, new = line.split(" -> ")
                mapping.files[old] = new
            elif line and not line.startswith("#"):
                left, new = line.split(": ")
                module, *names = left.split()
                mapping.names[module].update(dict.fromkeys(names, new))
        return mapping

    @cached_property
    def modules(self) -> dict[str, str]:
        return {module_of(a): module_of(b) for a, b in self.files.items() if a.endswith(".py")}

    @cached_property
    def packages(self) -> set[str]:
        """Packages whose `__init__` moves, while modules in them may stay."""
        return {module_of(path) for path in self.files if path.endswith("/__init__.py")}

    def home(self, module: str, name: str) -> tuple[str, str]:
        """The module to import a name from, and its name there."""
        inner = self.modules.get(f"{module}.{name}")
        if inner and f"{module}.{name}" not in self.packages:
            package, _, base = inner.rpartition(".")
            return package, base
        names = self.names.get(module, {})
        if new := names.get(name, names.get("*")):
            return new, name
        return self.modules.get(module, module), name

    def dotted(self, name: str) -> str:
        """Return the new dotted name of a module, or of a name in a module."""
        parts = name.split(".")
        for end in range(len(parts), 1, -1):
            module, rest = ".".join(parts[:end]), parts[end:]
            if rest and (names := self.names.get(module)) and (rest[0] in names or "*" in names):
                return ".".join([names.get(rest[0], names.get("*", module)), *rest])
            if module in self.modules and (module not in self.packages):
                return ".".join([self.modules[module], *rest])
        return name


def rewrite(text: str, mapping: Mapping, *, python: bool) -> str:
    """Return the text with the new names of files and modules."""
    if python:
        text = _rewrite_imports(text, mapping)
    text = INSIDE.sub(lambda found: _statement_inside(found[1], found[2], mapping), text)
    dotted = IMPORTED if python else DOTTED
    text = dotted.sub(lambda found: mapping.dotted(found[0]), text)
    return PATH.sub(lambda found: mapping.files.get(found[0], found[0]), text)


def _rewrite_imports(text: str, mapping: Mapping) -> str:
    lines = text.splitlines(keepends=True)
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)]
    for node in sorted(nodes, key=lambda node: -node.lineno):
        if node.level or not f"{node.module}.".startswith(OWN):
            continue
        moved = _from_import(node, mapping)
        start, end = node.lineno - 1, node.end_lineno or node.lineno
        indent = lines[start][: node.col_offset]
        comment = lines[end - 1].encode()[node.end_col_offset or 0 :].decode().strip()
        head = lines[start].partition("#")[2].strip() if end - 1 > start else ""
        note = comment or (f"# {head}" if head else "")
        if all(module == node.module for module, _ in moved):
            continue
        ending = "\r\n" if lines[start].endswith("\r\n") else "\n"
        lines[start:end] = [
            _statement(module, names, indent, note).replace("\n", ending) for module, names in moved
        ]
    return "".join(lines)


def _statement_inside(module: str, name: str, mapping: Mapping) -> str:
    new, there = mapping.home(module, name)
    return f"from {new} import {there}" + (f" as {name}" if there != name else "")


def _from_import(node: ast.ImportFrom, mapping: Mapping) -> list[tuple[str, list[str]]]:
    found: dict[str, list[str]] = defaultdict(list)
    for alias in node.names:
        module, name = mapping.home(str(node.module), alias.name)
        local = alias.asname or alias.name
        found[module].append(name if name == local else f"{name} as {local}")
    return sorted(found.items())


def _statement(module: str, names: list[str], indent: str, note: str) -> str:
    comment = f"  {note}" if note else ""
    line = f"{indent}from {module} import {', '.join(sorted(names))}"
    if len(line) <= LONGEST_LINE:
        return f"{line}{comment}\n"
    inner = "".join(f"{indent}    {name},\n" for name in sorted(names))
    return f"{indent}from {module} import ({comment}\n{inner}{indent})\n"


def texts(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        for path in sorted(folder.rglob("*") if folder.is_dir() else [folder]):
            if path.is_file() and is_text(path.relative_to(folder)):
                yield path


def is_text(path: Path) -> bool:
    """Tell whether names in the file are rewritten; `path` is relative to the project."""
    readable = path.suffix in TEXTS or path.name in {"Makefile", "Dockerfile"}
    return readable and SKIPPED.isdisjoint(path.parts) and path.parts[:2] != REVISIONS


def move_files(project: Path, mapping: Mapping) -> None:
    for old, new in mapping.files.items():
        source, target = project / old, project / new
        if source.exists() and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            source.rename(target)
            if old.endswith("/__init__.py"):
                source.touch()
    for folder in sorted((project / "chassis").rglob("*")):
        if folder.is_dir() and folder.name != "__pycache__":
            (folder / "__init__.py").touch()
    (project / "chassis" / "__init__.py").touch()
    _remove_empty(project / "src")


def _remove_empty(folder: Path) -> None:
    """Remove the three folders that moved, where only an empty `__init__.py` is left."""
    for inner in sorted(folder.rglob("*"), reverse=True):
        if inner.is_dir() and inner.name in {"cli", "openapi", "maintenance"}:
            left = [path for path in inner.iterdir() if path.name != "__pycache__"]
            if [path.name for path in left] == ["__init__.py"] and not left[0].stat().st_size:
                left[0].unlink()
                for path in inner.rglob("*.pyc"):
                    path.unlink()
                for path in [*inner.iterdir(), inner]:
                    path.rmdir()


def forward_operations(project: Path) -> None:
    """Write a forwarding module for revisions that import the operations from their old place."""
    revisions = (project / "migrations/versions").glob("*.py")
    if any(module_of(OPERATIONS) in path.read_text("utf-8") for path in revisions):
        path = project / OPERATIONS
        path.parent.mkdir(exist_ok=True)
        (path.parent / "__init__.py").touch()
        path.write_text(FORWARD, "utf-8", newline="\n")


def move(project: Path, mapping: Mapping, listed: Callable[[Path], Iterable[Path]]) -> None:
    """Move a project's files, and rewrite the text files that `listed` yields afterwards."""
    move_files(project, mapping)
    for path in listed(project):
        try:
            old = read(path)
        except UnicodeDecodeError:  # The file has another encoding, or is binary.
            continue
        new = rewritten(old, mapping, python=path.suffix == ".py")
        if new != old:
            path.write_text(new, "utf-8", newline="")
    forward_operations(project)


def rewritten(text: str, mapping: Mapping, *, python: bool) -> str:
    try:
        return rewrite(text, mapping, python=python)
    except SyntaxError:  # The file has conflict markers, or another Python's syntax.
        return rewrite(text, mapping, python=False)


def read(path: Path) -> str:
    """Read a text and keep its line endings."""
    with path.open(encoding="utf-8", newline="") as file:
        return file.read()

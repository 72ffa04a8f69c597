"""Finds imports of a project's own packages whose name does not exist."""

import ast
from collections.abc import Iterator
from pathlib import Path

FOLDERS = ("src", "tests", "migrations", "scripts")
OWN = ("src", "chassis", "tests")


def names(root: Path) -> Iterator[str]:
    """Yield `path:line: name` for each of them."""
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.py")):
            try:
                tree = ast.parse(path.read_text("utf-8"))
            except SyntaxError:  # The file has conflict markers.
                continue
            for node in ast.walk(tree):
                for name in _imported(node):
                    if not _exists(root, name):
                        yield f"{path.relative_to(root)}:{getattr(node, 'lineno', 0)}: {name}"


def _imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.ImportFrom) and not node.level:
        found = [f"{node.module}.{alias.name}" for alias in node.names]
    elif isinstance(node, ast.Import):
        found = [alias.name for alias in node.names]
    else:
        return
    yield from (name for name in found if name.partition(".")[0] in OWN)


def _exists(root: Path, name: str) -> bool:
    if _module(root, name):
        return True
    module, _, last = name.rpartition(".")
    path = _module(root, module)
    if path is None:
        return False
    try:
        tree = ast.parse(path.read_text("utf-8")) if path.suffix else ast.Module([], [])
    except SyntaxError:
        return True
    return last == "*" or last in set(_bound(tree))


def _module(root: Path, name: str) -> Path | None:
    place = root / name.replace(".", "/")
    candidates = (place.with_suffix(".py"), place / "__init__.py", place)
    return next((path for path in candidates if path.exists()), None)


def _bound(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name
            case ast.Import() | ast.ImportFrom():
                yield from (one.asname or one.name.partition(".")[0] for one in node.names)
            case ast.Name(ctx=ast.Store()):
                yield node.id

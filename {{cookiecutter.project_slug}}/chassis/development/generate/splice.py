"""Whole lines put into a module, and taken out again: nothing else of it changes.

Places are those of the standard library's `ast`; what comes out is parsed and compared.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from chassis.development.generate.refusal import Refusal

FIRST_PARTY = {"chassis", "src", "tests"}
Scope = ast.Module | ast.ClassDef | ast.FunctionDef


@dataclass(frozen=True, slots=True)
class Insertion:
    """`scope` is the name of what has the lines, as `SqlUnitOfWork.__init__`; empty for the module."""

    path: str
    scope: str
    text: str


def add_import(path: str, source: str, statement: str) -> tuple[str, Insertion]:
    """Where it is sorted among the others."""
    tree = ast.parse(source)
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    new = _key(ast.parse(statement).body[0])
    later = [node for node in imports if _key(node) > new]
    if not imports:
        raise Refusal(f"{path} has no import to put this one beside. Add by hand:\n\n{statement}")
    line = later[0].lineno - 1 if later else imports[-1].end_lineno or 0
    return _inserted(path, source, line, "", statement)


def _key(node: ast.stmt) -> tuple[bool, str, str]:
    match node:
        case ast.ImportFrom():
            module = node.module or ""
            return module.partition(".")[0] in FIRST_PARTY, module, node.names[0].name
        case ast.Import():
            return node.names[0].name.partition(".")[0] in FIRST_PARTY, "", ""
    raise TypeError(node)


def add_statement(path: str, source: str, scope: str, text: str) -> tuple[str, Insertion]:
    """At the end of a class or a function; a blank line comes after a lone docstring of a class."""
    node = scope_of(path, source, scope, text)
    last = node.body[-1]
    is_docstring = isinstance(last, ast.Expr) and isinstance(last.value, ast.Constant)
    gap = "\n" if isinstance(node, ast.ClassDef) and is_docstring else ""
    return _inserted(path, source, last.end_lineno or 0, scope, f"{gap}{text}")


def add_line(path: str, source: str, scope: str, line: int, text: str) -> tuple[str, Insertion]:
    """Before a line (from 0 on)."""
    return _inserted(path, source, line, scope, text)


def scope_of(path: str, source: str, scope: str, text: str) -> Scope:
    """Raise Refusal, with the text to add by hand, unless it is there once."""
    found: list[Scope] = [ast.parse(source)]
    for name in filter(None, scope.split(".")):
        found = [
            node
            for outer in found
            for node in ast.walk(outer)
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name
        ]
    if len(found) != 1:
        many = "twice or more" if found else "not there"
        raise Refusal(f"{path}: {scope} is {many}. Nothing was written; add by hand:\n\n{text}")
    return found[0]


def remove(source: str, insertion: Insertion) -> str:
    """Raise Refusal unless the text is there once, within its scope."""
    ending = "\r\n" if "\r\n" in source else "\n"
    text = insertion.text.replace("\n", ending)
    first, last = _extent(source, insertion)
    lines = source.splitlines(keepends=True)
    length = len(text.splitlines())
    found = [
        start
        for start in range(first, last - length + 1)
        if "".join(lines[start : start + length]) == text
    ]
    if len(found) != 1:
        raise Refusal(
            f"{insertion.path}: this is not there once any more; take it out by hand, or put it "
            f"back as it was:\n\n{insertion.text}"
        )
    del lines[found[0] : found[0] + length]
    changed = "".join(lines)
    _require_same(insertion.path, changed, source, (found[0] + 1, found[0] + length))
    return changed


def _extent(source: str, insertion: Insertion) -> tuple[int, int]:
    node = scope_of(insertion.path, source, insertion.scope, insertion.text)
    if isinstance(node, ast.Module):
        return 0, len(source.splitlines())
    return node.lineno - 1, node.end_lineno or 0


def _inserted(path: str, source: str, line: int, scope: str, text: str) -> tuple[str, Insertion]:
    ending = "\r\n" if "\r\n" in source else "\n"
    lines = source.splitlines(keepends=True)
    insertion = Insertion(path, scope, text if text.endswith("\n") else f"{text}\n")
    added = insertion.text.replace("\n", ending)
    changed = "".join([*lines[:line], added, *lines[line:]])
    _require_same(path, source, changed, (line + 1, line + insertion.text.count("\n")))
    return changed, insertion


def _require_same(path: str, without: str, with_it: str, extent: tuple[int, int]) -> None:
    """Raise Refusal unless the two differ by what lies in these lines of the second only."""
    expected = ast.dump(ast.parse(without))
    tree = ast.parse(with_it)
    for node in ast.walk(tree):
        for name, value in ast.iter_fields(node):
            if isinstance(value, list):
                setattr(node, name, [item for item in value if not _is_within(item, extent)])
    if ast.dump(tree) != expected:
        raise Refusal(f"{path}: the lines cannot be put in, or taken out, without another change.")


def _is_within(item: object, extent: tuple[int, int]) -> bool:
    start = getattr(item, "lineno", 0)
    return extent[0] <= start <= (getattr(item, "end_lineno", 0) or 0) <= extent[1]


def assigned(source: str, class_name: str) -> Iterator[tuple[str, ast.expr]]:
    """`self.name = value` in a class."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef) and node.name == class_name:
            for inner in ast.walk(node):
                match inner:
                    case ast.Assign(targets=[ast.Attribute(attr=name)], value=value):
                        yield name, value

"""Inserts whole lines into a module and removes them again, without any other change.

Positions come from the standard library's `ast`. The result is parsed, and must equal the module
before, apart from these lines.
"""

import ast
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO

from chassis.development.generate.refusal import Refusal

FIRST_PARTY = {"chassis", "src", "tests"}
IMPORT = "import"
LINE_LENGTH = 100
NEWLINE = "\n"
Scope = ast.Module | ast.ClassDef | ast.FunctionDef


@dataclass(frozen=True, slots=True)
class Insertion:
    """Lines in the class or function `scope`, as `SqlUnitOfWork.__init__`; empty for the module.

    For an import, `text` is one statement. The file may have the name in a longer statement.
    """

    path: str
    scope: str
    text: str


def lines_of(source: str) -> list[str]:
    """The lines as Python counts them; str.splitlines also breaks at a form feed."""
    return StringIO(source, newline="").readlines()


def add_import(path: str, source: str, statement: str) -> tuple[str, Insertion | None]:
    """Add an import in sorted order; return None where the name is imported already."""
    [new] = ast.parse(statement).body
    if not isinstance(new, ast.ImportFrom):
        raise TypeError(statement)
    name = new.names[0].name
    same = _same_module(source, new)
    if same and any(alias.name == name for alias in same.names):
        return source, None
    if name in _bound(source):
        raise Refusal(f"{path} has another {name}. Nothing was written; choose another name.")
    insertion = Insertion(path, IMPORT, statement)
    if same:
        names = [*(ast.unparse(alias) for alias in same.names), name]
        return _with_import(source, same, names), insertion
    imports = [
        one for one in ast.parse(source).body if isinstance(one, ast.Import | ast.ImportFrom)
    ]
    if not imports:
        raise Refusal(
            f"{path} has no import beside which to put this one. Add by hand:\n\n{statement}"
        )
    line, text = _place(imports, new, statement)
    changed, inserted = _inserted(path, source, line, "", text)
    return changed, insertion if text == statement else inserted


def _place(imports: Sequence[ast.stmt], new: ast.ImportFrom, statement: str) -> tuple[int, str]:
    """Return the number of the line after which an import goes, and blank lines beside it."""
    section = [one for one in imports if _key(one)[0] == _key(new)[0]]
    before = [one.end_lineno or 0 for one in section or imports if _key(one) < _key(new)]
    after = [one.lineno - 1 for one in imports if _key(one) > _key(new)]
    if section:
        return (before[-1] if before else after[0]), statement
    return (after[0], f"{statement}\n") if after else (before[-1], f"\n{statement}")


def _remove_import(source: str, insertion: Insertion) -> str:
    """Remove an import, unless other code of the module uses the name."""
    [new] = ast.parse(insertion.text).body
    if not isinstance(new, ast.ImportFrom):
        raise TypeError(insertion.text)
    same = _same_module(source, new)
    name = new.names[0].name
    used = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
    if not same or name in used:
        return source
    return _with_import(source, same, [ast.unparse(one) for one in same.names if one.name != name])


def _same_module(source: str, new: ast.ImportFrom) -> ast.ImportFrom | None:
    for node in ast.parse(source).body:
        if isinstance(node, ast.ImportFrom) and node.module == new.module and not node.level:
            return node
    return None


def _with_import(source: str, old: ast.ImportFrom, names: list[str]) -> str:
    """Return the source with these names in the import; without names, drop the import.

    The import is wrapped as the formatter wraps it.
    """
    lines = lines_of(source)
    first, last = old.lineno - 1, old.end_lineno or 0
    ordered = sorted(names, key=_by_type)
    text = f"from {old.module} import {', '.join(ordered)}\n"
    if len(text) > LINE_LENGTH + 1:
        text = "".join(
            [f"from {old.module} import (\n", *(f"    {one},\n" for one in ordered), ")\n"]
        )
    ending = "\r\n" if "\r\n" in source else "\n"
    changed = "".join([*lines[:first], text.replace("\n", ending) * bool(names), *lines[last:]])
    if _without_imports(changed) != _without_imports(source):
        raise Refusal(f"The import of {old.module} cannot be changed without changing other code.")
    return changed


def _bound(source: str) -> Iterator[str]:
    """The names that the module defines or imports."""
    for node in ast.parse(source).body:
        match node:
            case ast.Import() | ast.ImportFrom():
                yield from (alias.asname or alias.name for alias in node.names)
            case ast.ClassDef() | ast.FunctionDef():
                yield node.name
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                yield name


def _by_type(name: str) -> tuple[int, str]:
    """Constants, then classes, then the rest: as ruff sorts them."""
    return 0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2, name


def _without_imports(source: str) -> list[str]:
    body = ast.parse(source).body
    return [ast.dump(one) for one in body if not isinstance(one, ast.Import | ast.ImportFrom)]


def _key(node: ast.stmt) -> tuple[int, str, str]:
    match node:
        case ast.ImportFrom():
            module = node.module or ""
            return _section(module), module, node.names[0].name
        case ast.Import():
            return _section(node.names[0].name), "", node.names[0].name
    raise TypeError(node)


def _section(module: str) -> int:
    """The standard library, then other packages, then the project's own."""
    root = module.partition(".")[0]
    return 2 if root in FIRST_PARTY else int(root not in sys.stdlib_module_names)


def add_statement(path: str, source: str, scope: str, text: str) -> tuple[str, Insertion]:
    """Append to a class or a function; after a class's lone docstring, a blank line comes first."""
    node = scope_of(path, source, scope, text)
    last = node.body[-1]
    is_docstring = isinstance(last, ast.Expr) and isinstance(last.value, ast.Constant)
    gap = "\n" if isinstance(node, ast.ClassDef) and is_docstring else ""
    return _inserted(path, source, last.end_lineno or 0, scope, f"{gap}{text}")


def add_line(path: str, source: str, scope: str, line: str, text: str) -> tuple[str, Insertion]:
    """Insert `text` behind the line `line`."""
    return _inserted(path, source, int(line), scope, text)


def scope_of(path: str, source: str, scope: str, text: str) -> Scope:
    """Find a scope. Raise Refusal, with the text to add by hand, unless it exists once."""
    scopes: list[Scope] = [ast.parse(source)]
    for name in filter(None, scope.split(".")):
        scopes = [
            node
            for outer in scopes
            for node in ast.walk(outer)
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name
        ]
    if len(scopes) != 1:
        many = "exists twice or more" if scopes else "is not there"
        raise Refusal(f"{path}: {scope} {many}. Nothing was written; add by hand:\n\n{text}")
    return scopes[0]


def remove(source: str, insertion: Insertion) -> str:
    """Remove an insertion. Raise Refusal unless its text exists once in its scope.

    Blank lines around the text may belong to another branch's insertion after a merge.
    """
    if insertion.scope == IMPORT:
        return _remove_import(source, insertion)
    ending = "\r\n" if "\r\n" in source else "\n"
    extent, lines = _extent(source, insertion), lines_of(source)
    for whole in (insertion.text, f"{insertion.text.strip(NEWLINE)}{NEWLINE}"):
        text = whole.replace(NEWLINE, ending)
        if starts := _occurrences(lines, text, extent):
            break
    if len(starts) != 1:
        raise Refusal(
            f"{insertion.path}: this text was edited, or occurs more than once. Remove the text by "
            f"hand, or restore it:\n\n{insertion.text}"
        )
    length = text.count(NEWLINE)
    del lines[starts[0] : starts[0] + length]
    changed = "".join(lines)
    _require_same(insertion.path, changed, source, (starts[0] + 1, starts[0] + length))
    return changed


def _occurrences(lines: Sequence[str], text: str, extent: tuple[int, int]) -> list[int]:
    """Return where the text begins, as indexes of lines."""
    first, last = extent
    length = text.count(NEWLINE)
    starts = range(first, last - length + 1)
    return [start for start in starts if "".join(lines[start : start + length]) == text]


def _extent(source: str, insertion: Insertion) -> tuple[int, int]:
    node = scope_of(insertion.path, source, insertion.scope, insertion.text)
    if isinstance(node, ast.Module):
        return 0, len(lines_of(source))
    return node.lineno - 1, node.end_lineno or 0


def _inserted(path: str, source: str, line: int, scope: str, text: str) -> tuple[str, Insertion]:
    ending = "\r\n" if "\r\n" in source else "\n"
    lines = lines_of(source)
    insertion = Insertion(path, scope, text if text.endswith("\n") else f"{text}\n")
    added = insertion.text.replace("\n", ending)
    changed = "".join([*lines[:line], added, *lines[line:]])
    _require_same(path, source, changed, (line + 1, line + insertion.text.count("\n")))
    return changed, insertion


def _require_same(path: str, without: str, with_it: str, extent: tuple[int, int]) -> None:
    """Raise Refusal unless the sources are equal apart from these lines of the second one."""
    expected = ast.dump(ast.parse(without))
    tree = ast.parse(with_it)
    for node in ast.walk(tree):
        for name, value in ast.iter_fields(node):
            if isinstance(value, list):
                setattr(node, name, [item for item in value if not _is_within(item, extent)])
    if ast.dump(tree) != expected:
        raise Refusal(f"{path}: the lines cannot be added or removed without changing other code.")


def _is_within(item: object, extent: tuple[int, int]) -> bool:
    start = getattr(item, "lineno", 0)
    return extent[0] <= start <= (getattr(item, "end_lineno", 0) or 0) <= extent[1]

"""Splits a Python module into statements with their comments, and finds names and imports."""

import ast
import builtins
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chassis.development.generate.refusal import Refusal
from chassis.development.generate.splice import add_import

Definition = ast.FunctionDef | ast.ClassDef


class ConflictError(Exception):
    """The merge needs a person's decision, which the text names."""


@dataclass(frozen=True)
class Piece:
    """A statement with its decorators and the comment above it."""

    node: ast.stmt
    text: str
    first: int  # The first line, counted from 0.
    last: int  # The line after the last one.
    blank: int  # Comment lines above the statement.

    @property
    def name(self) -> str:
        match self.node:
            case ast.FunctionDef() | ast.ClassDef():
                return self.node.name
            case ast.AnnAssign(target=target):
                return ast.unparse(target)
            case ast.Assign(targets=targets):
                return ", ".join(ast.unparse(target) for target in targets)
            case ast.Expr(value=ast.Constant()):
                return "its docstring"
        return ast.unparse(self.node)

    def says_as(self, other: "Piece") -> bool:
        """Tell whether two texts are equal apart from layout; comments count."""
        return said(self) == said(other)


def pieces(text: str, body: Sequence[ast.stmt] | None = None) -> list[Piece]:
    """Return the statements of a module without its imports."""
    lines = text.splitlines(keepends=True)
    found = []
    for node in ast.parse(text).body if body is None else body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            continue
        decorators = node.decorator_list if isinstance(node, Definition) else []
        first = min([node.lineno, *(one.lineno for one in decorators)]) - 1
        while first and lines[first - 1].lstrip().startswith("#"):
            first -= 1
        above = first
        while above and not lines[above - 1].strip():
            above -= 1
        last = node.end_lineno or first
        text_of = "".join(lines[first:last])
        found.append(Piece(node, text_of.rstrip("\n") + "\n", first, last, first - above))
    return found


def said(piece: Piece) -> tuple[str, list[str]]:
    comments = [line.partition("#")[2].strip() for line in piece.text.splitlines() if "#" in line]
    return ast.dump(piece.node), comments


def bound(text: str) -> Iterator[str]:
    for node in ast.parse(text).body:
        match node:
            case ast.FunctionDef() | ast.ClassDef():
                yield node.name
            case ast.Import() | ast.ImportFrom():
                yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
            case _:
                yield from (
                    one.id
                    for one in ast.walk(node)
                    if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
                )


def imports(text: str) -> Iterator[tuple[str, str]]:
    """Map each imported name to a statement that imports it alone."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.ImportFrom | ast.Import):
            for alias in node.names:
                one = type(node)(**{**vars(node), "names": [alias]})
                yield alias.asname or alias.name.partition(".")[0], ast.unparse(one)


def add_import_to(text: str, statement: str) -> str:
    if statement in (line.strip() for line in text.splitlines()):
        return text
    [node] = ast.parse(statement).body
    if isinstance(node, ast.ImportFrom) and any(True for _ in imports(text)):
        try:
            changed: str = add_import("", text, statement + "\n")[0]
            return changed
        except Refusal as refusal:
            raise ConflictError(str(refusal)) from refusal
    body = ast.parse(text).body
    documented = bool(body) and ast.get_docstring(ast.parse(text)) is not None
    line = (body[0].end_lineno or 0) if documented else 0
    lines = text.splitlines(keepends=True)
    return "".join([*lines[:line], "\n" * documented, statement + "\n", *lines[line:]])


def assigned(text: str) -> Iterator[str]:
    try:
        tree = ast.parse("class _:\n" + text if text.lstrip("\n").startswith(" ") else text)
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def free_names(node: ast.stmt) -> set[str]:
    """Return the names that a statement uses and does not define."""
    names = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    stored = {
        one.id
        for one in ast.walk(node)
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
    }
    arguments = {one.arg for one in ast.walk(node) if isinstance(one, ast.arg)}
    inner = {one.name for one in ast.walk(node) if isinstance(one, Definition)}
    return names - stored - arguments - inner - set(dir(builtins))


def renamed(text: str, names: dict[str, str]) -> str:
    indent = text[: len(text) - len(text.lstrip())]
    tree = ast.parse("class _:\n" + text if indent else text)
    shift = 1 if indent else 0
    lines = text.splitlines(keepends=True)
    found = [n for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id in names]
    for node in sorted(found, key=lambda n: (n.lineno, n.col_offset), reverse=True):
        line = lines[node.lineno - 1 - shift].encode()
        end = node.end_col_offset or 0
        changed = line[: node.col_offset] + names[node.id].encode() + line[end:]
        lines[node.lineno - 1 - shift] = changed.decode()
    return "".join(lines)


def below_imports(text: str) -> int:
    nodes = [one for one in ast.parse(text).body if isinstance(one, ast.Import | ast.ImportFrom)]
    return nodes[-1].end_lineno or 0 if nodes else 0


def elements(node: ast.stmt) -> dict[str, ast.expr | ast.keyword]:
    """Return the elements of an assigned call or list; empty where elements share a line."""
    value = getattr(node, "value", None)
    match value:
        case ast.Call():
            found: list[ast.expr | ast.keyword] = [*value.args, *value.keywords]
        case ast.List() | ast.Tuple() | ast.Set():
            found = list(value.elts)
        case _:
            return {}
    lines = {one.lineno for one in found} - {value.lineno}
    return {ast.dump(one): one for one in found} if len(lines) == len(found) else {}


def members_of(text: str, name: str) -> frozenset[str]:
    """Return the definitions of a class, by name."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return frozenset(piece.name for piece in pieces(text, node.body))
    return frozenset()


def added(base: str, ours: str) -> list[str]:
    """Return the functions, classes and constants that the module did not define before."""
    before = {name for piece in pieces(base) for name in bound(piece.text)}
    return [name for piece in pieces(ours) for name in bound(piece.text) if name not in before]


def split(ours: str, names: Sequence[str]) -> tuple[str, str]:
    """Return a module with these names and their imports, and the module without these names."""
    lines = ours.splitlines(keepends=True)
    theirs = [one for one in pieces(ours) if any(name in names for name in bound(one.text))]
    nodes = [one for one in ast.parse(ours).body if isinstance(one, ast.Import | ast.ImportFrom)]
    imported = [ast.unparse(node) + "\n" for node in nodes]
    text = "".join([*imported, *("\n" * one.blank + one.text for one in theirs)])
    for piece in reversed(theirs):
        del lines[piece.first - piece.blank : piece.last]
    return text, "".join(lines)

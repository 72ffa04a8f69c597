"""Three states of a Python module, merged by what it defines and not by its lines.

`base` is what the template generated, `ours` what a team made of it, `new` what the template has
now. What the team added, changed or removed is done to `new`, or ConflictError says why not.
"""

import ast
import builtins
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from chassis.development.generate.refusal import Refusal
from chassis.development.generate.splice import add_import

Definition = ast.FunctionDef | ast.ClassDef
# In these a name that the chassis took over can be declared again, and wins.
OVERRIDING = {"Config", "Container"}
# What a team's container has from the chassis is named through its base class.
INHERITED = {"Container": "ServiceContainer"}


class ConflictError(Exception):
    """Its text names what a person has to decide."""


@dataclass(frozen=True)
class Piece:
    """A statement with its decorators and the comment above it."""

    node: ast.stmt
    text: str
    first: int  # Line, from 0.
    last: int  # The line behind it.
    blank: int  # Lines above it.

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
        """Comments count, the layout does not."""
        return _said(self) == _said(other)


@dataclass
class Merge:
    """`home(name)` is the statement that imports a name which this module had."""

    base: str
    ours: str
    new: str
    home: Callable[[str], str | None]
    inherited: frozenset[str] = frozenset()
    edits: list[tuple[int, int, str]] = field(default_factory=list)
    needed: set[str] = field(default_factory=set)
    local: set[str] = field(default_factory=set)  # Arguments of the functions around.

    def run(self) -> str:
        """Raise ConflictError where a person has to decide."""
        base, ours, new = (_pieces(text) for text in (self.base, self.ours, self.new))
        self._body("", base, ours, new, len(self.new.splitlines()))
        result = self._with_imports(self._applied())
        ast.parse(result)
        lost = [line for line in self._own_lines() if line not in _lines(result)]
        if lost:
            raise ConflictError(f"this would be lost: {lost[0]}")
        return result

    def _body(
        self,
        scope: str,
        base: Sequence[Piece],
        ours: Sequence[Piece],
        new: Sequence[Piece],
        end: int,
    ) -> None:
        old, mine, now = ({piece.name: piece for piece in some} for some in (base, ours, new))
        if len(mine) != len(ours):
            raise ConflictError(f"{scope or 'the module'} says something twice")
        for name, piece in mine.items():
            if name not in old:
                self._add(scope, piece, ours, now, end)
            elif not piece.says_as(old[name]):
                self._change(scope, old[name], piece, now, (ours, end))
        for name in old.keys() - mine.keys():
            if left := now.get(name):
                if not left.says_as(old[name]):
                    raise ConflictError(f"{name}, which you removed, is another one now")
                self.edits.append((left.first, left.last, ""))

    def _add(
        self, scope: str, piece: Piece, ours: Sequence[Piece], now: dict[str, Piece], end: int
    ) -> None:
        if there := now.get(piece.name):
            if not there.says_as(piece):
                raise ConflictError(f"{piece.name} was added by you and by the template")
            return
        at = list(ours).index(piece)
        before = [now[one.name] for one in ours[:at] if one.name in now]
        after = [now[one.name] for one in ours[at:] if one.name in now]
        line = before[-1].last if before else after[0].first if after else end
        if returns := [one for one in now.values() if isinstance(one.node, ast.Return)]:
            line = min(line, returns[-1].first)
        if not scope:
            line = max(line, _below_imports(self.new))
        text = self._qualified(scope, piece, now)
        self.edits.append((line, line, "\n" * piece.blank + text))

    def _change(
        self,
        scope: str,
        old: Piece,
        piece: Piece,
        now: dict[str, Piece],
        place: tuple[Sequence[Piece], int],
    ) -> None:
        there = now.get(piece.name)
        if there is None:
            if scope not in OVERRIDING:
                raise ConflictError(f"{piece.name}, which you changed, is the chassis's now")
            self._add(scope, piece, place[0], now, place[1])
        elif there.says_as(old):
            self.edits.append((there.first, there.last, self._qualified(scope, piece, now)))
        elif not there.says_as(piece):
            self._within(old, piece, there)

    def _within(self, old: Piece, piece: Piece, there: Piece) -> None:
        """Both changed it: a class, or a function, by its statements."""
        nodes = (old.node, piece.node, there.node)
        if not all(type(node) is type(there.node) for node in nodes):
            raise ConflictError(f"{piece.name} was changed by you and by the template")
        if not isinstance(there.node, Definition):
            raise ConflictError(f"{piece.name} was changed by you and by the template")
        heads = [_head(node) for node in nodes]
        if heads[1] not in (heads[0], heads[2]):
            raise ConflictError(f"the head of {piece.name} was changed by you and by the template")
        self.local |= {one.arg for one in ast.walk(there.node) if isinstance(one, ast.arg)}
        bodies = [
            _pieces(text, node.body)
            for text, node in zip((self.base, self.ours, self.new), nodes, strict=True)
            if isinstance(node, Definition)
        ]
        self._body(piece.name, bodies[0], bodies[1], bodies[2], there.last)

    def _qualified(self, scope: str, piece: Piece, now: dict[str, Piece]) -> str:
        """Its text, with what is inherited named through the class that has it."""
        text, owner = piece.text, INHERITED.get(scope)
        known = set(self.local)
        if scope:
            known |= {*now, *(one for _, _, edit in self.edits for one in _assigned(edit))}
        free = _free(piece.node) - known
        if owner and (inherited := free & self.inherited):
            text = _renamed(text, {name: f"{owner}.{name}" for name in inherited})
            free = (free - inherited) | {owner}
        self.needed |= free
        return text

    def _applied(self) -> str:
        lines = self.new.splitlines(keepends=True)
        order = sorted(enumerate(self.edits), key=lambda one: (one[1][0], one[0]), reverse=True)
        for _, (first, last, text) in order:
            lines[first:last] = [text]
        return "".join(lines)

    def _with_imports(self, text: str) -> str:
        bound = {*_bound(text), *dir(builtins)}
        imports = dict(_imports(self.ours))
        changed = {
            name for name, one in imports.items() if dict(_imports(self.base)).get(name) != one
        }
        own = {name for name in changed if name in self.needed}
        for name in sorted((self.needed - bound) | own):
            statement = imports.get(name) or self.home(name)
            if statement is None:
                raise ConflictError(f"{name} is not known there")
            text = _import(text, statement)
        return text

    def _own_lines(self) -> Iterator[str]:
        """What the team wrote, but for imports, which move."""
        kept = set(_lines(self.base))
        nodes = [n for n in ast.parse(self.ours).body if isinstance(n, ast.Import | ast.ImportFrom)]
        imported = {n for node in nodes for n in range(node.lineno, (node.end_lineno or 0) + 1)}
        for number, line in enumerate(self.ours.splitlines(), 1):
            if line.strip() and line.strip() not in kept and number not in imported:
                yield _plain(line)


def _lines(text: str) -> set[str]:
    return {form for line in text.splitlines() for form in (line.strip(), _plain(line))}


def _plain(line: str) -> str:
    for owner in INHERITED.values():
        line = line.replace(f"{owner}.", "")
    return line.strip()


def _pieces(text: str, body: Sequence[ast.stmt] | None = None) -> list[Piece]:
    """But for imports, which are asked for by name."""
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


def _below_imports(text: str) -> int:
    nodes = [one for one in ast.parse(text).body if isinstance(one, ast.Import | ast.ImportFrom)]
    return nodes[-1].end_lineno or 0 if nodes else 0


def _said(piece: Piece) -> tuple[str, list[str]]:
    comments = [line.partition("#")[2].strip() for line in piece.text.splitlines() if "#" in line]
    return ast.dump(piece.node), comments


def _head(node: ast.AST) -> str:
    """Of a class or a function: what stands before its body, but for the docstring."""
    match node:
        case ast.ClassDef():
            parts = [*node.decorator_list, *node.bases, *node.keywords]
            return " ".join(ast.dump(part) for part in parts)
        case ast.FunctionDef():
            parts = [*node.decorator_list, node.args, *filter(None, [node.returns])]
            return " ".join(ast.dump(part) for part in parts)
    return ast.dump(node)


def _free(node: ast.stmt) -> set[str]:
    """Names that it takes from around it."""
    names = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    stored = {
        one.id
        for one in ast.walk(node)
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
    }
    arguments = {one.arg for one in ast.walk(node) if isinstance(one, ast.arg)}
    inner = {one.name for one in ast.walk(node) if isinstance(one, Definition)}
    return names - stored - arguments - inner - set(dir(builtins))


def _assigned(text: str) -> Iterator[str]:
    try:
        tree = ast.parse("class _:\n" + text if text.lstrip("\n").startswith(" ") else text)
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def _renamed(text: str, names: dict[str, str]) -> str:
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


def _bound(text: str) -> Iterator[str]:
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


def _imports(text: str) -> Iterator[tuple[str, str]]:
    """Each name with the one statement that imports it alone."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.ImportFrom | ast.Import):
            for alias in node.names:
                one = type(node)(**{**vars(node), "names": [alias]})
                yield alias.asname or alias.name.partition(".")[0], ast.unparse(one)


def _import(text: str, statement: str) -> str:
    if statement in (line.strip() for line in text.splitlines()):
        return text
    [node] = ast.parse(statement).body
    if isinstance(node, ast.ImportFrom) and any(True for _ in _imports(text)):
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


def members_of(text: str, name: str) -> frozenset[str]:
    """What a class defines."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return frozenset(piece.name for piece in _pieces(text, node.body))
    return frozenset()


def added(base: str, ours: str) -> list[str]:
    """What a module defines that it did not: functions, classes, constants."""
    before = {name for piece in _pieces(base) for name in _bound(piece.text)}
    return [name for piece in _pieces(ours) for name in _bound(piece.text) if name not in before]


def split(ours: str, names: Sequence[str]) -> tuple[str, str]:
    """A module with these names and its imports, and the module without these names."""
    lines = ours.splitlines(keepends=True)
    pieces = [one for one in _pieces(ours) if any(name in names for name in _bound(one.text))]
    nodes = [one for one in ast.parse(ours).body if isinstance(one, ast.Import | ast.ImportFrom)]
    imports = [ast.unparse(node) + "\n" for node in nodes]
    text = "".join([*imports, *("\n" * one.blank + one.text for one in pieces)])
    for piece in reversed(pieces):
        del lines[piece.first - piece.blank : piece.last]
    return text, "".join(lines)


def says_as(one: str, other: str) -> bool:
    """But for imports and layout."""
    return [_said(piece) for piece in _pieces(one)] == [_said(piece) for piece in _pieces(other)]


def with_rows(new: str, base: str, ours: str) -> str:
    """Rows of DOMAIN_ERRORS, as version 1.0 had it, in PROBLEMS, whose keys are errors.Name."""
    old, mine, now = (_rows(text) for text in (base, ours, new))
    lines, names = new.splitlines(keepends=True), []
    for key, (value, _) in reversed(mine.items()):
        if key not in old:
            line = next(iter(now.values()))[1]
            lines.insert(line, f"    {key}: {value},\n")
            names.append(key)
    for key, (value, _) in mine.items():
        if key in old and old[key][0] != value:
            if key not in now or now[key][0] != old[key][0]:
                raise ConflictError(f"the row of {key} was changed by you and by the template")
            index = now[key][1] + len(names)
            lines[index] = lines[index].replace(old[key][0], value)
    text = "".join(lines)
    imports = dict(_imports(ours))
    for name in names:
        statement = imports.get(name)
        if statement is None:
            raise ConflictError(f"{name} is not known there")
        text = _import(text, statement)
    return text


def _rows(text: str) -> dict[str, tuple[str, int]]:
    """The last name of each key with its value, and its line from 0."""
    for node in ast.parse(text).body:
        match node:
            case ast.AnnAssign(
                target=ast.Name(id="DOMAIN_ERRORS" | "PROBLEMS"), value=ast.Dict() as rows
            ):
                pairs = zip(rows.keys, rows.values, strict=True)
                return {
                    ast.unparse(key).rpartition(".")[2]: (ast.unparse(value), key.lineno - 1)
                    for key, value in pairs
                    if key
                }
    return {}

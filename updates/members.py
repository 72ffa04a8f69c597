"""A three-way merge of a Python module by its definitions instead of its lines.

`base` is the module as generated, `ours` as the team changed it, `new` as the template has it now.
The team's additions, changes and removals are applied to `new`. ConflictError says which one cannot
be applied.
"""

import ast
import builtins
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from updates.pieces import (
    ConflictError,
    Definition,
    Piece,
    add_import_to,
    assigned,
    below_imports,
    bound,
    elements,
    free_names,
    imports,
    pieces,
    renamed,
)

# In these modules a team can declare a name again that the chassis provides, and the team's wins.
OVERRIDING = {"Config", "Container"}
# A team's container names providers of the chassis through its base class.
INHERITED = {"Container": "ServiceContainer"}


@dataclass
class Merge:
    """One merge. `home(name)` returns the statement that imports a name that the module had."""

    base: str
    ours: str
    new: str
    home: Callable[[str], str | None]
    inherited: frozenset[str] = frozenset()
    edits: list[tuple[int, int, str]] = field(default_factory=list)
    needed: set[str] = field(default_factory=set)
    local: set[str] = field(default_factory=set)  # Arguments of the enclosing functions.

    def run(self) -> str:
        """Return the merged module. Raise ConflictError where a person has to decide."""
        base, ours, new = (pieces(text) for text in (self.base, self.ours, self.new))
        self._body("", base, ours, new, len(self.new.splitlines()))
        result = self._with_imports(self._applied())
        ast.parse(result)
        lost = [line for line in self._own_lines() if line not in _lines(result)]
        if lost:
            raise ConflictError(f"this line would be lost: {lost[0]}")
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
            raise ConflictError(f"{scope or 'the module'} has a statement twice")
        for name, piece in mine.items():
            if name not in old:
                self._add(scope, piece, ours, now, end)
            elif not piece.says_as(old[name]):
                self._change(scope, old[name], piece, now, (ours, end))
        for name in old.keys() - mine.keys():
            if left := now.get(name):
                if not left.says_as(old[name]):
                    raise ConflictError(f"the template changed {name}, which you removed")
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
            line = max(line, below_imports(self.new))
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
                raise ConflictError(f"the template no longer has {piece.name}, which you changed")
            self._add(scope, piece, place[0], now, place[1])
        elif there.says_as(old):
            self.edits.append((there.first, there.last, self._qualified(scope, piece, now)))
        elif not there.says_as(piece):
            self._within(old, piece, there)

    def _within(self, old: Piece, piece: Piece, there: Piece) -> None:
        """Merge a class or a function that both changed, by its statements."""
        nodes = (old.node, piece.node, there.node)
        if not all(type(node) is type(there.node) for node in nodes):
            raise ConflictError(f"{piece.name} was changed by you and by the template")
        if not isinstance(there.node, Definition):
            self._elements(old, piece, there)
            return
        heads = [_head(node) for node in nodes]
        if heads[1] not in (heads[0], heads[2]):
            raise ConflictError(f"the head of {piece.name} was changed by you and by the template")
        self.local |= {one.arg for one in ast.walk(there.node) if isinstance(one, ast.arg)}
        bodies = [
            pieces(text, node.body)
            for text, node in zip((self.base, self.ours, self.new), nodes, strict=True)
            if isinstance(node, Definition)
        ]
        self._body(piece.name, bodies[0], bodies[1], bodies[2], there.last)

    def _elements(self, old: Piece, piece: Piece, there: Piece) -> None:
        """Merge a call or a list that both changed, where the team only added whole lines."""
        before, mine, now = (elements(one.node) for one in (old, piece, there))
        if not before or not now or not before.keys() <= mine.keys():
            raise ConflictError(f"{piece.name} was changed by you and by the template")
        lines = self.ours.splitlines(keepends=True)
        line = next(iter(now.values())).lineno - 1
        for said, node in mine.items():
            if said in now:
                line = now[said].end_lineno or line
            elif said not in before:
                text = "".join(lines[node.lineno - 1 : node.end_lineno])
                self.edits.append((line, line, text))
                self.needed |= {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}

    def _qualified(self, scope: str, piece: Piece, now: dict[str, Piece]) -> str:
        """Return the text, with inherited names qualified by the class that has them."""
        text, owner = piece.text, INHERITED.get(scope)
        known = set(self.local)
        if scope:
            known |= {*now, *(one for _, _, edit in self.edits for one in assigned(edit))}
        free = free_names(piece.node) - known
        if owner and (inherited := free & self.inherited):
            text = renamed(text, {name: f"{owner}.{name}" for name in inherited})
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
        known = {*bound(text), *dir(builtins)}
        ours = dict(imports(self.ours))
        changed = {name for name, one in ours.items() if dict(imports(self.base)).get(name) != one}
        own = {name for name in changed if name in self.needed}
        for name in sorted((self.needed - known) | own):
            statement = ours.get(name) or self.home(name)
            if statement is None:
                raise ConflictError(f"{name} has no import in the project")
            text = add_import_to(text, statement)
        return text

    def _own_lines(self) -> Iterator[str]:
        """Return the lines that the team wrote, without imports, which are rewritten."""
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


def _head(node: ast.AST) -> str:
    """Return the lines of a class or a function before its body, without the docstring."""
    match node:
        case ast.ClassDef():
            parts = [*node.decorator_list, *node.bases, *node.keywords]
            return " ".join(ast.dump(part) for part in parts)
        case ast.FunctionDef():
            parts = [*node.decorator_list, node.args, *filter(None, [node.returns])]
            return " ".join(ast.dump(part) for part in parts)
    return ast.dump(node)

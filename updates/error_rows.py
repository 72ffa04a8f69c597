"""Moves rows of the table of errors: from DOMAIN_ERRORS of version 1.0 to PROBLEMS."""

import ast
import re

from updates.pieces import ConflictError, add_import_to, imports, pieces, said


def with_rows(new: str, base: str, ours: str) -> str:
    """Add a team's rows of DOMAIN_ERRORS to PROBLEMS, whose keys have the form errors.Name."""
    old, mine, now = (_rows(text) for text in (base, ours, new))
    lines, names = new.splitlines(keepends=True), []
    for key, (value, _) in reversed(mine.items()):
        if key not in old:
            line = next(iter(now.values()))[1]
            lines.insert(line, f"    {key}: {_quoted(value)},\n")
            names.append(key)
    for key, (value, _) in mine.items():
        if key in old and old[key][0] != value:
            if key not in now or now[key][0] != old[key][0]:
                raise ConflictError(f"the row of {key} was changed by you and by the template")
            index = now[key][1] + len(names)
            lines[index] = lines[index].replace(_quoted(old[key][0]), _quoted(value))
    text = "".join(lines)
    imported = dict(imports(ours))
    for name in names:
        statement = imported.get(name)
        if statement is None:
            raise ConflictError(f"{name} has no import in the project")
        text = add_import_to(text, statement)
    return text


def changed_rows(base: str, ours: str) -> bool:
    old, mine = ({key: value for key, (value, _) in _rows(text).items()} for text in (base, ours))
    return old != mine and old.keys() <= mine.keys()


def _sorted(text: str) -> str:
    lines = text.splitlines(keepends=True)
    numbers = sorted(line for _, line in _rows(text).values())
    for number, line in zip(numbers, sorted(lines[number] for number in numbers), strict=True):
        lines[number] = line
    return "".join(lines)


def _quoted(value: str) -> str:
    return value.replace("'", '"')


def _rows(text: str) -> dict[str, tuple[str, int]]:
    """Return for each key its last name, its value and its line, counted from 0."""
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


def says_as(one: str, other: str) -> bool:
    """Tell whether two modules are equal apart from imports, layout and the order of rows."""
    says = [[said(piece) for piece in pieces(text)] for text in (_sorted(one), _sorted(other))]
    comments = [sorted(re.findall(r"#.*", text)) for text in (one, other)]
    return says[0] == says[1] and comments[0] == comments[1]

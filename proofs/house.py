"""Count the size of a generated project: at 1.0.0, now, and the limits of the design.

`make house` prints the table. Times are measured elsewhere: `make bench-check` for requests,
`make updates` for updates.
"""

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from proofs.harness.entry import parser, temporary_folder
from proofs.harness.generation import ROOT, generate_only

# The template itself, so with every answer's files; main() counts a default project.
PROJECT = ROOT / "{{cookiecutter.project_slug}}"
LONG = 30  # Lines; a longer function is counted.
EXAMPLE = re.compile(r"todo", re.IGNORECASE)
READS = {"environ", "getenv", "read_text", "read_bytes", "open"}
# Participles say nothing of what a name holds, so the design retires them as names.
RETIRED = {"told", "asked", "said", "found", "known", "given", "kept"}


@dataclass(frozen=True)
class Row:
    """One figure: `before` at 1.0.0, `now`, and the most that it may be."""

    figure: str
    before: str
    now: tuple[int, ...]
    limit: tuple[int, ...]

    @property
    def holds(self) -> bool:
        return all(now <= limit for now, limit in zip(self.now, self.limit, strict=True))


def python(*folders: str, without: str = " ") -> list[Path]:
    """List the Python files in these folders that are not empty."""
    paths = (path for folder in folders for path in sorted((PROJECT / folder).rglob("*.py")))
    return [p for p in paths if p.stat().st_size and without not in str(p.relative_to(PROJECT))]


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def lines(paths: list[Path]) -> int:
    return sum(len(path.read_text("utf-8").splitlines()) for path in paths)


def imported(paths: list[Path]) -> tuple[set[str], set[str]]:
    """Return the names and the modules that these files import from the chassis."""
    nodes = [node for path in paths for node in ast.walk(tree(path))]
    froms = [n for n in nodes if isinstance(n, ast.ImportFrom) and n.module]
    ours = [node for node in froms if str(node.module).split(".")[0] == "chassis"]
    names = {f"{node.module}.{alias.name}" for node in ours for alias in node.names}
    return names, {str(node.module) for node in ours}


def functions(paths: list[Path]) -> Iterator[tuple[str, int]]:
    for path in paths:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                yield f"{path.relative_to(PROJECT)}: {node.name}", length


def called(paths: list[Path], name: str) -> int:
    nodes = (node for path in paths for node in ast.walk(tree(path)) if isinstance(node, ast.Call))
    return sum(getattr(node.func, "id", "") == name for node in nodes)


def names_on_g(paths: list[Path]) -> set[str]:
    nodes = (node for path in paths for node in ast.walk(tree(path)))
    attributes = (node for node in nodes if isinstance(node, ast.Attribute))
    return {node.attr for node in attributes if getattr(node.value, "id", "") == "g"}


def lookups(paths: list[Path]) -> int:
    """Count the reads of `extensions["container"]`; the assignment does not count."""
    text = "".join(path.read_text("utf-8") for path in paths)
    return len(re.findall(r'extensions\["container"\]', text)) - len(
        re.findall(r'extensions\["container"\] =', text)
    )


def reads_at_import(paths: list[Path]) -> list[str]:
    """List the places outside of functions that read the environment or a file."""
    found = []
    for path in paths:
        for statement in tree(path).body:
            if isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.If):
                continue
            for node in ast.walk(statement):
                if isinstance(node, ast.Call | ast.Subscript | ast.Attribute):
                    name = getattr(node, "attr", getattr(getattr(node, "func", None), "id", ""))
                    if name in READS:
                        found.append(f"{path.relative_to(PROJECT)}:{node.lineno}")
    return found


def twice(paths: list[Path]) -> list[str]:
    """List file names that occur twice. The example's files have one name in each ring."""
    names = (path.name for path in paths if path.name != "__init__.py")
    return sorted(n for n, times in Counter(names).items() if times > 1 and not EXAMPLE.search(n))


def way_to_sql() -> list[Path]:
    """List the files that the README names on the way from URL to SQL."""
    text = (ROOT / "README.md").read_text("utf-8")
    found = re.findall(r"^\d\. `([\w/.]+)`", text, re.MULTILINE)
    return [PROJECT / name for name in found if (PROJECT / name).is_file()]


def retired(paths: list[Path]) -> list[str]:
    """List the variables, parameters and definitions that have a retired name."""
    return [
        name
        for path in paths
        for node in ast.walk(tree(path))
        if (name := _named(node).strip("_")) in RETIRED
    ]


def _named(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
            return name
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return name
        case _:
            return ""


def rows() -> list[Row]:
    team, chassis = python("src"), python("chassis")
    every = [*team, *chassis, *python("scripts", "tests")]
    serving = [p for p in chassis if "development" not in p.relative_to(PROJECT).parts]
    developing = [path for path in chassis if path not in serving]
    developing += (PROJECT / "chassis/development").rglob("*.jinja")
    names, modules = imported(team)
    example, _ = imported([path for path in team if EXAMPLE.search(path.name)])
    way = way_to_sql()
    long = [name for name, length in functions([*team, *serving]) if length > LONG]
    told: tuple[int, ...] = (
        called([*team, *serving], "ContextVar"),
        len(names_on_g([*team, *serving])),
    )
    served = [path for path in serving if "cli" not in path.parts]
    told += (lookups([*team, *served]), len(reads_at_import([*team, *serving])))
    return [
        Row("lines of src", "8,709", (lines(team),), (700,)),
        Row("files of src that are not empty", "113", (len(team),), (28,)),
        Row("files, lines from URL to SQL", "5, 354", (len(way), lines(way)), (6, 220)),
        Row("names, modules of the chassis in src", "53, 44", (len(names), len(modules)), (40, 20)),
        Row("names of the chassis in the example", "-", (len(example),), (14,)),
        Row("lines of a project's tests", "8,534", (lines(python("tests")),), (400,)),
        Row("context variables, names on g, look-ups, reads", "3, 9, 3, 1", told, (1, 1, 0, 0)),
        Row("functions over 30 lines", "9", (len(long),), (3,)),
        Row("file names with two meanings", "6", (len(twice([*team, *chassis])),), (0,)),
        Row("retired names", "179", (len(retired(every)),), (0,)),
        Row("lines of the chassis that serve", "8,050", (lines(serving),), (10_500,)),
        Row("lines of the chassis for development", "1,470", (lines(developing),), (4_500,)),
    ]


def shown(numbers: tuple[int, ...]) -> str:
    return ", ".join(f"{number:,}" for number in numbers)


def main() -> int:
    """Count a project with the default answers, which has no optional parts."""
    parser("house", __doc__, project=False).parse_args()
    with temporary_folder("house") as folder:
        globals()["PROJECT"] = generate_only(folder)
        return show()


def show() -> int:
    table = rows()
    print(f"{'figure':<48} {'at 1.0.0':>12} {'now':>12} {'at most':>12}")
    for row in table:
        now, limit = shown(row.now), shown(row.limit)
        print(
            f"{row.figure:<48} {row.before:>12} {now:>12} {limit:>12}  {'' if row.holds else '!'}"
        )
    serving = [p for p in python("src", "chassis") if "development" not in p.parts]
    details = {
        "over 30 lines": [f"{name} ({n})" for name, n in functions(serving) if n > LONG],
        "two meanings": twice(python("src", "chassis")),
        "read at import": reads_at_import(serving),
    }
    for what, found in details.items():
        print(f"{what}: {', '.join(found) or 'none'}")
    return sum(not row.holds for row in table)


if __name__ == "__main__":
    sys.exit(1 if main() else 0)

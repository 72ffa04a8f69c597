"""Reads the revisions of the code and of the database without Alembic.

A server process needs no more, and importing Alembic takes a tenth of its start.
"""

import ast
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, text

from chassis.maintenance.declarations import CONTRACT
from chassis.postgres.ops_schema import version_table
from chassis.project import current_project

ONE_LINE = (
    "Revisions form one history without branches: give the later one the next number, in its "
    "file's name and as `revision`, and the number of the revision before as `down_revision`."
)
NAMES = {"revision", "down_revision", "phase"}
HAS_TABLE = text("SELECT to_regclass(:table) IS NOT NULL")
CURRENT = text("SELECT version_num FROM alembic_version ORDER BY version_num")


class RevisionsError(Exception):
    """The revisions branch, for example after a merge."""


@dataclass(frozen=True, slots=True)
class Revision:
    """A revision, as its file in migrations/versions declares it."""

    revision: str
    down_revision: str | None
    phase: str | None

    @property
    def is_contract(self) -> bool:
        return self.phase == CONTRACT


def read_revisions(versions: Path | None = None) -> list[Revision]:
    """The revisions of the project, the newest last. Raise RevisionsError if they branch."""
    versions = versions or current_project().versions
    if not versions.parent.is_dir():
        raise RevisionsError(f"There is no folder {versions.parent} for the revisions.")
    paths = (path for path in sorted(versions.glob("*.py")) if _may_be_one(path))
    revisions = [one for path in paths if (one := _read(path))]
    after: dict[str | None, Revision] = {}
    for one in revisions:
        other = after.setdefault(one.down_revision, one)
        if other is not one:
            both = f"{other.revision} and {one.revision} both"
            raise RevisionsError(f"{both} follow {one.down_revision or 'nothing'}. {ONE_LINE}")
    line: list[Revision] = []
    while len(line) < len(revisions):
        last = line[-1].revision if line else None
        if last not in after:
            raise RevisionsError(f"No revision leads to {', '.join(_names(after))}. {ONE_LINE}")
        line.append(after.pop(last))
    return line


def current_revisions(connection: Connection) -> list[str]:
    """The revisions of the database; none if it was never migrated."""
    if not connection.execute(HAS_TABLE, {"table": version_table(connection)}).scalar_one():
        return []
    return list(connection.execute(CURRENT).scalars())


def revision_of(connection: Connection) -> str | None:
    return ", ".join(current_revisions(connection)) or None


def _names(revisions: dict[str | None, Revision]) -> list[str]:
    return sorted(one.revision for one in revisions.values())


def _may_be_one(path: Path) -> bool:
    """Whether Alembic would read this file; it ignores an editor's lock file, for example."""
    return path.is_file() and not path.name.startswith((".#", "__init__"))


def _read(path: Path) -> Revision | None:
    """The revision in a file; None if the file declares no revision."""
    declared: dict[str, str | None] = {}
    try:
        statements = ast.parse(path.read_bytes(), path.name).body
    except (SyntaxError, ValueError) as error:
        raise RevisionsError(f"{path.name} is not Python: {error}.") from error
    for statement in statements:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(name)], value=ast.Constant(str() | None as value))
                | ast.AnnAssign(target=ast.Name(name), value=ast.Constant(str() | None as value))
            ) if name in NAMES:
                declared[name] = value
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                pass
            case _:
                _refuse_names(statement, path)
    if revision := declared.get("revision"):
        return Revision(revision, declared.get("down_revision"), declared.get("phase"))
    return None


def _refuse_names(statement: ast.stmt, path: Path) -> None:
    """Require a literal: a name has its value only when the file runs."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and node.id in NAMES and not isinstance(node.ctx, ast.Load):
            what = f"The {node.id} in {path.name}"
            raise RevisionsError(f"{what} has to be a text: it is read without running the file.")

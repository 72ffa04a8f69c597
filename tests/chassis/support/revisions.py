"""Revisions of a test in a folder of its own, and a database for them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from chassis.development.testing.database_cases import empty_database
from chassis.maintenance import drain
from chassis.maintenance.declarations import checksum_of
from chassis.migrations.commands import Migrations
from chassis.migrations.plan import Options
from chassis.postgres.locks import mutex, write_fence
from chassis.project import Project, current_project
from support.windows import PATIENCE, WindowObserver

REVISION = '''"""Of a test."""

import sqlalchemy as sa
from alembic import op

from chassis.migrations import operations

revision = "{number:04}"
down_revision = {below!r}
{declared}


def upgrade() -> None:
    {up}


def downgrade() -> None:
    {down}
'''
# Code with which a revision prints the window in which it runs.
LOOK = f"""
    INSERT INTO seen
    SELECT mode, phase, ops.is_held({write_fence()}), ops.is_held({mutex()}) FROM ops.current_window
"""
FAIL_IF_EMPTY = "SELECT 1 / count(*) FROM things"


FIRST = (
    "CREATE TABLE things (id integer)",
    "CREATE TABLE seen (mode text, phase text, fenced boolean, alone boolean)",
)


AFRESH = f"""
    TRUNCATE ops.window RESTART IDENTITY CASCADE;
    DROP SCHEMA public CASCADE;
    CREATE SCHEMA public;
    {"; ".join(FIRST)};
    CREATE TABLE alembic_version (version_num varchar(32) NOT NULL);
    INSERT INTO alembic_version VALUES ('0001')
"""


class RevisionsTestCase(WindowObserver):
    """A database at revision 0001, with two empty tables, that never had a window."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.database_url = cls.enterClassContext(empty_database())
        with revisions():
            Migrations(cls.database_url).upgrade()
        super().setUpClass()

    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(self.sql, AFRESH)
        self.versions = self.enterContext(revisions())
        self.newest = 1
        # A full window would wait for the tests' own connections.
        self.enterContext(patch.object(drain, "SEEN_BY_ALL_SECONDS", 0))
        self.said: list[str] = []

    def revision(self, *statements: str, code: str = "", down: str = "", **declared: Any) -> str:
        """Write the next revision, in SQL or Python; its maintenance is "none" by default."""
        self.newest += 1
        return write_revision(
            self.versions, self.newest, *statements, code=code, down=down, **declared
        )

    def migrations(self, **options: Any) -> Migrations:
        patient = {"wait": 0, "drain_timeout": PATIENCE, "lock_budget": PATIENCE}
        chosen = Options(**{**patient, **options}, say=self.hear)
        return Migrations(self.database_url, chosen)

    def hear(self, what: str, text: str) -> None:
        self.said.append(f"{what}: {text}")

    def upgrade(
        self, revision: str = "head", *, until_expand: bool = False, **options: Any
    ) -> None:
        self.migrations(**options).upgrade(revision, until_expand=until_expand)

    def current(self) -> str:
        [(revision,)] = self.sql("SELECT version_num FROM alembic_version")
        return str(revision)

    def seen(self) -> list[tuple[Any, ...]]:
        """Return mode and phase of the window, and whether fence and mutex were held."""
        return [tuple(row) for row in self.sql("SELECT * FROM seen")]

    def has_table(self, name: str) -> bool:
        [(found,)] = self.sql("SELECT to_regclass(:name)", name=name)
        return found is not None


MEASURED_NONE: dict[str, Any] = {"upgrade": {}, "downgrade": {}}


@contextmanager
def revisions() -> Iterator[Path]:
    """Give the project the revisions in this folder only, which contains the first one."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        versions = folder / "migrations/versions"
        versions.mkdir(parents=True)
        for file in ("env.py", "script.py.mako"):
            copyfile(current_project().root / "migrations" / file, folder / "migrations" / file)
        pyproject = folder / "pyproject.toml"
        pyproject.write_text("[tool.alembic]\nscript_location = '%(here)s/migrations'\n")
        write_revision(versions, 1, *FIRST, down="DROP TABLE things, seen")
        with patch.object(Project, "alembic_file", pyproject):
            yield versions


def write_revision(
    folder: Path,
    number: int,
    *statements: str,
    code: str = "",
    down: str = "",
    measured: dict[str, Any] | None = MEASURED_NONE,
    **declared: str | None,
) -> str:
    """Write a revision.

    `measured` is the measurement of `db check`; by default, no lock is taken.
    """
    known = {"maintenance": "none", "phase": "expand"} | declared
    told = "\n".join(f"{name} = {value!r}" for name, value in known.items() if value)
    lines = [code] if code else [f"op.execute({statement!r})" for statement in statements]
    text = REVISION.format(
        number=number,
        below=f"{number - 1:04}" if number > 1 else None,
        declared=f"{told}\n\n# measured",
        up="\n    ".join(lines),
        down=f"op.execute({down!r})" if down else "pass",
    )
    before, after = text.split("# measured\n")
    if measured is not None:
        values = {"checksum": checksum_of(before + after)} | measured
        items = "".join(f"    {name!r}: {value!r},\n" for name, value in values.items())
        before += f"measured = {{\n{items}}}\n"
    (folder / f"{number:04}_test.py").write_text(before + after)
    return f"{number:04}"

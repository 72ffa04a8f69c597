"""The blocks of docs/grow.md are applied to a new project, whose checks and tests then pass."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Report, command
from test_documents import has_column, running_database, sql

GUIDE = "docs/grow.md"
MOST_LINES = 60  # Lines of a recipe's code, without its tests.
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMES = ("Ada Lovelace", "Plato", "Ludwig van Beethoven")
LISTS = ".venv/bin/python -m unittest tests.test_promises.ListsTest"
SPLIT, LOCK, WRONG = "A column, split in three releases", "make lock", " (wrong)"


def sections(text: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Return the heading of each section, and its blocks with their languages."""
    for section in text.split("\n## "):
        heading, _, body = section.partition("\n")
        yield heading, BLOCK.findall(body)


def commands(block: str) -> list[str]:
    return [line.partition("  #")[0].strip() for line in block.splitlines()]


def add(project: Path, block: str) -> None:
    """Write a new file, or append lines to a file."""
    name, _, code = block.removeprefix("# ").partition("\n")
    path = project / name
    path.parent.mkdir(parents=True, exist_ok=True)
    before = f"{path.read_text().rstrip()}\n\n\n" if path.exists() else ""
    path.write_text(before + code)


def change(project: Path, block: str) -> None:
    """Apply the hunks of a diff to a file."""
    name, _, hunks = block.removeprefix("# ").partition("\n")
    path = project / name.removesuffix(WRONG)
    text = path.read_text()
    for hunk in hunks.split("@@\n"):
        lines = hunk.splitlines(keepends=True)
        old = "".join(line[1:] or "\n" for line in lines if line[0] in " -")
        new = "".join(line[1:] or "\n" for line in lines if line[0] in " +")
        if not old:  # Imports go to the top; `make format` sorts them.
            imports = [*re.finditer(r"^(from|import) .*?\n", text, re.MULTILINE)]
            place = imports[-1].start() if imports else 0
            text = text[:place] + new + text[place:]
            continue
        assert text.count(old) == 1, f"{name} has this {text.count(old)} times:\n{old}"
        text = text.replace(old, new)
    path.write_text(text)


def run(project: Path, line: str, **variables: str) -> str:
    result = command(line, cwd=project, **variables)
    assert result.returncode == 0, f"{line}\n{result.stdout}{result.stderr}"
    return result.stdout


@pytest.fixture
def shop(installed: Path, empty_project: Path, tmp_path: Path) -> Path:
    shop = shutil.copytree(empty_project, tmp_path / "shop")
    (shop / ".venv").symlink_to((installed / ".venv").resolve())
    return shop


def test_each_guide_is_short(default_project: Path, report: Report) -> None:
    longest = 0
    for heading, blocks in sections((default_project / GUIDE).read_text()):
        code = [block for language, block in blocks if language != "sh"]
        written = "".join(block for block in code if not block.startswith("# tests/"))
        number = len([line for line in written.splitlines() if line.strip(" @")])
        longest = max(longest, number)
        assert number <= MOST_LINES, f"{heading}: {number} lines"
    report.append(f"docs/grow.md: the longest guide has {longest} lines of code, its tests aside")


@pytest.mark.long
def test_the_guides_hold_on_a_new_project(shop: Path) -> None:
    for heading, blocks in sections((shop / GUIDE).read_text()):
        if heading != SPLIT:
            apply(shop, blocks)


def apply(shop: Path, blocks: list[tuple[str, str]]) -> None:
    for language, block in blocks:
        if language == "python":
            add(shop, block)
        elif language == "diff":
            change(shop, block)
            if WRONG in block.partition("\n")[0]:
                assert "2 statements for 1 row, and 21 for 20: N+1." in failed(shop, LISTS)
        else:
            for line in commands(block):
                lock(shop) if line == LOCK else run(shop, line)


def failed(project: Path, line: str) -> str:
    result = command(line, cwd=project)
    assert result.returncode != 0, line
    return result.stdout + result.stderr


def lock(shop: Path) -> None:
    """Run `make lock` with a fake uv that records its arguments, so that no index is asked."""
    stand_in = shop.parent / "bin/uv"
    stand_in.parent.mkdir()
    stand_in.write_text(f'#!/bin/sh\necho "$@" >>"{shop.parent}/asked"\n')
    stand_in.chmod(0o755)
    asked = shop.parent / "asked"
    for line, newest in ((LOCK, True), (f"{LOCK} KEEP=yes", False)):
        run(shop, line, PATH=f"{stand_in.parent}:/usr/bin:/bin")
        said = asked.read_text().splitlines()
        asked.unlink()
        for name in ("runtime", "telemetry", "development", "run"):
            [one] = [one for one in said if one.endswith(f"--output-file requirements/{name}.txt")]
            assert ("--upgrade" in one.split()) == newest


@pytest.mark.long
def test_a_column_is_split_and_nothing_is_lost(shop: Path) -> None:
    """All three releases write during the split."""
    text = dict(sections((shop / GUIDE).read_text()))[SPLIT]
    (shop / "migrations/versions/0101_add_authors.py").write_text(FIRST)
    written = 0
    with running_database(shop):
        run(shop, ".venv/bin/python manage.py db upgrade")
        for language, block in text:
            if language == "python":
                add(shop, block)
                continue
            for line in commands(block):
                written += write(shop)
                run(shop, line)
        assert int(sql(shop, "SELECT count(*) FROM authors")) == written
        assert not sql(shop, f"SELECT 1 FROM authors WHERE {WHOLE} <> said")
        assert not has_column(shop, "name", "authors")


FIRST = '''"""Make authors, and what they were called when they were written."""

from alembic import op

revision = "0101"
down_revision = None
maintenance = "none"
phase = "expand"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE authors (id uuid PRIMARY KEY, version integer, name text NOT NULL, said text)
    """)


def downgrade() -> None:
    op.execute("DROP TABLE authors")
'''
WHOLE = "concat_ws(' ', given_name, nullif(family_name, ''))"


def write(shop: Path) -> int:
    """Insert rows like the code of each release that fits the table; return their number."""
    old, new = (has_column(shop, name, "authors") for name in ("name", "given_name"))
    statements = []
    for name in NAMES:
        some = f"id = (SELECT id FROM authors WHERE said = '{name}' LIMIT 1)"
        given, _, family = name.partition(" ")
        if old:
            values = f"VALUES (gen_random_uuid(), '{name}', '{name}')"
            statements.append(f"INSERT INTO authors (id, name, said) {values}")
            changed = f"name = '{name} II', said = '{name} II'"
            statements.append(f"UPDATE authors SET {changed} WHERE {some}")
        if new:
            values = f"VALUES (gen_random_uuid(), '{given}', '{family}', '{name}')"
            statements.append(f"INSERT INTO authors (id, given_name, family_name, said) {values}")
            changed = "given_name = 'X', said = concat_ws(' ', 'X', nullif(family_name, ''))"
            filled = "given_name IS NOT NULL"
            statements.append(f"UPDATE authors SET {changed} WHERE {some} AND {filled}")
    sql(shop, "; ".join(statements))
    return len(NAMES) * (old + new)

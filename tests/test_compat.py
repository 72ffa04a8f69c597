"""`manage.py db compat` tries two releases on the schemas between them."""

import re
from pathlib import Path

from conftest import command, commit_all, git

ENTITY = "src/domain/models/todo.py"
COMPAT = ".venv/bin/python manage.py db compat --base HEAD"
MIGRATE = (
    '.venv/bin/python manage.py db upgrade && .venv/bin/python manage.py db migrate -m "Change"'
)
RENAME = """
revision = "0002"
down_revision = "0001"
maintenance = "none"
phase = "{phase}"


def upgrade() -> None:
    op.alter_column("todos", "title", new_column_name="name")


def downgrade() -> None:
    op.alter_column("todos", "name", new_column_name="title")
"""


def repository(project: Path) -> Path:
    if not (project / ".git").exists():
        git("init", "--quiet", cwd=project)
    if git("status", "--porcelain", cwd=project):
        commit_all(project, "The release that runs")
    return project


def write_rename(project: Path, phase: str) -> None:
    text = '"""Rename"""\n\nfrom alembic import op\n' + RENAME.format(phase=phase)
    (project / "migrations/versions/0002_rename.py").write_text(text)


def test_an_expand_revision_passes(copy: Path) -> None:
    project = repository(copy)
    entity = project / ENTITY
    field = "    completed_at: "
    text = entity.read_text()
    assert field in text
    text = text.replace(field, f"    due_on: date | None = None\n{field}", 1)
    entity.write_text(text.replace("import datetime", "import date, datetime", 1))
    migrated = command(MIGRATE, cwd=project, ENVIRONMENT="development")
    assert migrated.returncode == 0, migrated.stdout + migrated.stderr

    result = command(COMPAT, cwd=project)

    assert result.returncode == 0, result.stdout + result.stderr
    assert "New expand revisions: 0002. New contract revisions: none." in result.stdout


def test_a_rename_is_refused_whatever_its_phase(copy: Path) -> None:
    project = repository(copy)
    for path in (*project.glob("src/**/*.py"), *project.glob("tests/**/*.py")):
        path.write_text(re.sub(r"\btitle\b", "name", path.read_text()))

    for phase, sentence in (
        ("expand", "HEAD fails on the schema with 0002"),
        ("contract", "This code fails on the schema without 0002"),
    ):
        write_rename(project, phase)
        result = command(COMPAT, cwd=project)
        assert result.returncode == 3, result.stdout + result.stderr
        assert sentence in result.stderr
        assert "FAIL" in result.stderr or "ERROR" in result.stderr


def test_a_base_that_is_not_there_is_named(copy: Path) -> None:
    result = command(
        ".venv/bin/python manage.py db compat --against no/where", cwd=repository(copy)
    )
    assert result.returncode == 1
    assert "There is no no/where to compare with." in result.stderr
    assert "Traceback" not in result.stderr

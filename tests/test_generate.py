"""`generate` and `destroy` on a generated project: the guide, the exact undo, random models."""

import json
import shlex
import shutil
import subprocess
from pathlib import Path
from random import Random

import pytest
from conftest import Report, command
from test_documents import blocks, commands

from proofs.generator import Project, render

GUIDE = "docs/generate.md"
SHELLS = ("bash", "dash", "zsh", "fish")
REGISTERED = (
    "src/services/ports.py",
    "src/infrastructure/databases/unit_of_work.py",
    "src/dependency_container.py",
)
NOTE = "python manage.py generate resource Note title:str:200:unique body:text:optional"


def manage(project: Path, line: str) -> str:
    result = command(f".venv/bin/{line}", cwd=project)
    assert result.returncode == 0, f"{line}\n{result.stdout}{result.stderr}"
    return result.stdout


def status(project: Path) -> str:
    return command("git status --short", cwd=project).stdout


@pytest.fixture
def fresh(copy: Path) -> Path:
    """Committed, its database migrated."""
    manage(copy, "python manage.py db upgrade")
    command("git add --all && git commit --quiet --message before", cwd=copy)
    assert not status(copy)
    return copy


def test_the_guide_runs_as_it_stands(fresh: Path) -> None:
    text = (fresh / GUIDE).read_text()
    [model] = blocks(text, "toml")
    (fresh / "model.toml").write_text(model)
    for line in commands(text):
        result = command(line, cwd=fresh)
        assert result.returncode == 0, f"{line}\n{result.stdout}{result.stderr}"
    checked = command("make check", cwd=fresh)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_shells_hand_on_what_the_documents_write(copy: Path, report: Report) -> None:
    lines = [
        line
        for name in ("README.md", GUIDE)
        for line in commands((copy / name).read_text())
        if "generate" in line
    ]
    assert lines
    there = [shell for shell in SHELLS if shutil.which(shell)]
    for shell in there:
        for line in lines:
            words = line.split()
            shown = subprocess.run(
                [shell, "-c", f"printf '%s\\n' {' '.join(words[1:])}"],
                capture_output=True,
                text=True,
                check=True,
            )
            assert shown.stdout.splitlines() == words[1:] == shlex.split(line)[1:], shell
    missing = sorted(set(SHELLS) - set(there))
    report.append(f"generate: read alike by {', '.join(there)}; not tried: {missing or 'none'}")


def test_what_was_never_applied_leaves_no_trace(fresh: Path) -> None:
    manage(fresh, NOTE)
    assert ".generated/" in status(fresh)
    assert manage(fresh, NOTE).startswith("Nothing to do")
    manage(fresh, "python manage.py destroy resource Note")
    assert not status(fresh)


def test_what_only_an_empty_development_database_has_leaves_no_trace(fresh: Path) -> None:
    manage(fresh, NOTE)
    manage(fresh, "python manage.py db upgrade")
    manage(fresh, "python manage.py destroy resource Note")
    assert not status(fresh)
    assert manage(fresh, "python manage.py db current") == "0001\n"


def test_rows_are_dropped_by_a_contract_revision_only(fresh: Path) -> None:
    manage(fresh, NOTE)
    manage(fresh, "python manage.py db upgrade")
    manage(fresh, "python manage.py seed")
    command("git add migrations && git commit --quiet --message notes", cwd=fresh)
    manage(fresh, "python manage.py destroy resource Note")
    left = status(fresh).split()
    assert left == ["??", "migrations/versions/0003_remove_notes.py"]
    assert 'phase = "contract"' in (fresh / left[1]).read_text()
    assert manage(fresh, "python manage.py db current") == "0002\n"
    manage(fresh, "python manage.py db upgrade")
    manage(fresh, NOTE)  # Again.
    manage(fresh, "python manage.py db upgrade")
    manage(fresh, "python manage.py db check")


def test_edits_beside_and_a_resource_in_between_do_not_matter(fresh: Path) -> None:
    manage(fresh, NOTE)
    for name in REGISTERED:
        path = fresh / name
        lines = path.read_text().splitlines()
        edited = [f"{line}  # Beside." if "todo" in line.lower() else line for line in lines]
        path.write_text("\n".join(edited) + "\n")
    manage(fresh, "python manage.py db upgrade")
    manage(fresh, "python manage.py generate resource Tag name:str:50")
    manage(fresh, "python manage.py db upgrade")
    manage(fresh, "python manage.py destroy resource Note")  # By a revision: one builds on its own.
    manage(fresh, "python manage.py db upgrade")
    manage(fresh, "python manage.py destroy resource Tag")
    shown = command("git diff --unified=0 src", cwd=fresh).stdout.splitlines()
    changed = [line for line in shown if line.startswith("+") and not line.startswith("+++")]
    assert changed
    assert all(line.endswith("  # Beside.") for line in changed)


def test_an_edited_file_is_kept_unless_it_is_forced(fresh: Path) -> None:
    manage(fresh, NOTE)
    service = fresh / "src/services/note_service.py"
    service.write_text(service.read_text() + "\n\nKEPT = True\n")
    before = status(fresh)
    refused = command(".venv/bin/python manage.py destroy resource Note", cwd=fresh)
    assert refused.returncode == 1
    assert "+KEPT = True" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert status(fresh) == before
    manage(fresh, "python manage.py destroy resource Note --force")
    assert not status(fresh)


def test_what_is_referred_to_goes_last(fresh: Path) -> None:
    manage(fresh, NOTE)
    manage(
        fresh, "python manage.py generate resource Comment text:str note:ref:Note --no-migration"
    )
    refused = command(".venv/bin/python manage.py destroy resource Note", cwd=fresh)
    assert refused.returncode == 1
    assert "destroy resource Comment" in refused.stderr


def test_nothing_is_written_where_a_step_fails(fresh: Path) -> None:
    revision = next((fresh / "migrations/versions").glob("0001_*.py"))
    second = revision.read_text().replace('revision = "0001"', 'revision = "0002"', 1)
    (revision.parent / "0002_another_branch.py").write_text(second)  # Two that follow nothing.
    before = status(fresh)
    refused = command(f".venv/bin/{NOTE}", cwd=fresh)
    assert refused.returncode == 1
    assert "Revisions are one line" in refused.stderr
    assert status(fresh) == before


def test_a_place_that_is_missing_is_said_with_the_line(fresh: Path) -> None:
    ports = fresh / REGISTERED[0]
    ports.write_text(ports.read_text().replace("class UnitOfWork(", "class Work("))
    before = status(fresh)
    refused = command(f".venv/bin/{NOTE}", cwd=fresh)
    assert refused.returncode == 1
    assert "notes: persistence.Repository[Note]" in refused.stderr
    assert status(fresh) == before


def test_plans_write_nothing(fresh: Path) -> None:
    assert "+++ src/domain/models/note.py" in manage(fresh, f"{NOTE} --dry-run")
    plan = json.loads(manage(fresh, f"{NOTE} --json"))
    assert plan["resources"][0]["plural"] == "notes"
    assert not status(fresh)


def test_a_field_comes_and_goes(fresh: Path) -> None:
    manage(fresh, NOTE)
    manage(fresh, "python manage.py db upgrade")
    command("git add --all && git commit --quiet --message note", cwd=fresh)
    fields = ("pinned:bool=false", "code:str:9:unique:optional")
    refused = command(".venv/bin/python manage.py generate field Note kind:str:9", cwd=fresh)
    assert refused.returncode == 1
    assert "--backfill" in refused.stderr
    for field in fields:
        manage(fresh, f"python manage.py generate field Note {field}")
        manage(fresh, "python manage.py db upgrade")
    checked = command("make check", cwd=fresh)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    manage(fresh, "python manage.py generate field Note kind:str:9 --backfill plain")
    manage(fresh, "python manage.py db upgrade")
    breaking = command("make check", cwd=fresh)  # It breaks clients of what is committed.
    assert breaking.stdout.count("it is required now") == 1, breaking.stdout + breaking.stderr
    for name in ("kind", "code", "pinned"):
        manage(fresh, f"python manage.py destroy field Note {name}")
    assert not status(fresh)


def test_random_models_are_valid_and_undone(fresh: Path, report: Report) -> None:
    render(Project(fresh), Random(1), 0, 5)
    report.append("generate: 5 random resources of seed 1 rendered, linted, typed and undone")

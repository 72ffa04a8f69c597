"""A project's tests still pass with ten resources of other names and revisions of every kind."""

import re
from pathlib import Path

import pytest
from conftest import ROOT, Report, bake_into, command, make
from grown import KINDS, RESOURCES, grow, renamed
from test_chassis import run
from test_documents import add_resource

ROUNDS = 4


@pytest.fixture(scope="module")
def grown(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A grown project whose newest revisions are contract revisions without a downgrade."""
    folder = tmp_path_factory.mktemp("grown")
    folder.chmod(0o755)  # Root's embedded PostgreSQL runs as another user.
    answers = {"project_slug": "parcel_desk", "example_resource": False}
    project = bake_into(folder, template, **answers)
    guide = project / "docs/add-a-resource.md"
    note = guide.read_text()
    for name in RESOURCES.split():
        guide.write_text(renamed(note, name))
        add_resource(project)
    guide.write_text(note)
    make(project, "format")
    for line in ("db upgrade", "db migrate -m 'Add all'", "db upgrade", "openapi write"):
        result = command(f".venv/bin/python manage.py {line}", cwd=project)
        assert result.returncode == 0, f"{line}\n{result.stdout}{result.stderr}"
    written = len(list((project / "migrations/versions").glob("[0-9]*.py")))
    assert len(list(grow(project, written + 1, ROUNDS))) == ROUNDS * len(KINDS)
    make(project, "format")
    return project


@pytest.mark.long
def test_its_own_tests_pass(grown: Path, report: Report) -> None:
    make(grown, "check")
    output = make(grown, "test")
    assert "skipped" not in output
    [found] = re.findall(r"^Ran (\d+ tests in .*s)$", output, re.MULTILINE)
    revisions = len(list((grown / "migrations/versions").glob("[0-9]*.py")))
    resources = len(RESOURCES.split())
    report.append(f"a grown project, {resources} resources, {revisions} revisions: {found}")


@pytest.mark.long
def test_the_tests_of_the_chassis_pass_on_it(grown: Path) -> None:
    result = run(grown)
    assert result.returncode == 0, result.stdout


def test_the_kinds_of_revisions_are_those_that_the_rules_know() -> None:
    """Each operation outside a transaction, mode and phase, and an irreversible revision."""
    source = (ROOT / "{{cookiecutter.project_slug}}/chassis/migrations/operations.py").read_text()
    names = re.findall(r"^def ([a-z]\w+)\(", source, re.MULTILINE)
    code = "\n".join(kind.up + kind.down for kind in KINDS)
    assert [name for name in names if name not in code] == []
    assert {kind.maintenance for kind in KINDS} == {"none", "read-only", "full"}
    assert {kind.phase for kind in KINDS} == {"expand", "contract"}
    assert KINDS[-1].irreversible
    assert KINDS[-1].phase == "contract"

"""Projects of earlier versions are updated to this one; unsuitable ones are rejected."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, Report, environment, git, short_form

from proofs import teams
from proofs.updates import STATES, Proof
from updates import unresolved
from updates.renames import Mapping, rewrite

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def history(report: Report) -> Path:
    """The template's repository with its earlier versions; an archive has no history."""
    commits = ["git", "cat-file", "-e", f"{STATES['1.0.0']}^{{commit}}"]
    if subprocess.run(commits, cwd=ROOT, capture_output=True, check=False).returncode:
        report.append("updates: not run, the history of the template is not here")
        pytest.skip("updates: not run, the history of the template is not here")
    return ROOT


@pytest.fixture(scope="module")
def proof(history: Path, installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Proof:
    return Proof(tmp_path_factory.mktemp("states"), installed / ".venv", history)


def move(proof: Proof, project: Path, code: int = 0, *arguments: str) -> str:
    result = subprocess.run(
        [sys.executable, "-m", "updates.move", project, *arguments],
        cwd=proof.template,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == code, result.stdout + result.stderr
    assert "Traceback" not in result.stderr
    return result.stdout + result.stderr


@pytest.mark.usefixtures("history")
def test_edited_projects_are_updated_as_expected(installed: Path, report: Report) -> None:
    output = short_form("proofs.updates", installed)
    report.extend(f"updates: {line}" for line in output.splitlines())


@pytest.mark.parametrize("programme", ["proofs.fleet --short", "proofs.wheel"])
def test_a_fix_reaches_ten_projects_and_the_chassis_is_a_wheel(
    history: Path, installed: Path, report: Report, programme: str
) -> None:
    """`make updates` runs the long forms: every version with its tests, and fifty projects."""
    command = [sys.executable, "-m", *programme.split(), "--project", str(installed)]
    result = subprocess.run(
        command, cwd=history, env=environment(), capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    report.extend(f"{programme}: {line}" for line in result.stdout.splitlines())


def test_what_cannot_be_moved_is_left_as_it_is(proof: Proof, tmp_path: Path) -> None:
    project = proof.generate("refused", STATES["1.0.0"], {})
    before = git("rev-parse", "HEAD", cwd=project)

    assert "There is no folder" in move(proof, tmp_path / "missing", 1)
    (tmp_path / "empty").mkdir()
    assert "no work tree of git" in move(proof, tmp_path / "empty", 1)
    git("init", "--quiet", cwd=tmp_path / "empty")
    assert "no project of version 1.0" in move(proof, tmp_path / "empty", 1)
    assert "nonsense is no answer" in move(proof, project, 1, "nonsense")
    assert "does not render" in move(proof, project, 1, "license=None")
    (project / "draft.py").write_text("x = 1\n")
    assert "not committed" in move(proof, project, 1)
    (project / "draft.py").unlink()
    (project / "pyproject.toml").write_text("[")
    teams.commit(project, "Break it")
    assert "pyproject.toml cannot be read" in move(proof, project, 1)

    git("reset", "--quiet", "--hard", before, cwd=project)
    assert git("status", "--porcelain", cwd=project) == ""


def test_a_project_is_moved_where_it_lies_and_nothing_of_it_is_lost(
    proof: Proof, tmp_path: Path
) -> None:
    """The project is a folder of a larger repository, and has files of its own."""
    made = proof.generate("inner", STATES["1.0.0"], {"project_slug": "billing"})
    outer = tmp_path / "outer"
    project = outer / "services/billing"
    shutil.copytree(made, project, symlinks=True, ignore=shutil.ignore_patterns(".git"))
    (project / "src/old.py").write_text('print "of another Python"\n')
    (project / "src/services/paging.py").write_text("<<<<<<< ours\n")
    (project / "src/latin.txt").write_bytes(b"caf\xe9 src.api.requests\n")
    (project / "src/env").mkdir()
    (project / "src/env/ignored.py").write_text("from src.api.requests import JSON\n")
    (outer / ".gitignore").write_text("env/\n.venv\n")
    fields = "\n\nclass Sku(Text):\n    pass\n"
    teams.append(project, "src/api/schemas/fields.py", fields)
    teams.append(project, "src/api/schemas/v1/sku.py", SKU)
    teams.append(project, "src/api/requests.py", "\n\ndef tenant() -> str:\n    return JSON\n")
    teams.append(project, "src/services/tenants.py", TENANTS)
    teams.append(project, "tests/api/test_cors.py", "\n\nOURS = 1\n")
    git("init", "--quiet", cwd=outer)
    teams.commit(outer, "A larger repository")

    output = move(proof, project, 3)

    assert "Conflicts: 2\n  chassis/core/paging.py  it is not valid Python: " in output
    assert "\n  tests/api/test_cors.py\n" in output
    assert "OURS = 1" in (project / "tests/api/test_cors.py").read_text()
    assert (project / "src/old.py").read_text() == 'print "of another Python"\n'
    assert (project / "src/latin.txt").read_bytes() == b"caf\xe9 src.api.requests\n"
    assert "src.api.requests" in (project / "src/env/ignored.py").read_text()
    assert fields in (project / "chassis/schemas/fields.py").read_text()
    assert (
        "from chassis.schemas import fields" in (project / "src/api/schemas/v1/sku.py").read_text()
    )
    requests = (project / "src/api/requests.py").read_text()
    assert "from chassis.http.input.parser import JSON" in requests
    assert requests.endswith("def tenant() -> str:\n    return JSON\n")
    assert (project / "src/services/tenants.py").read_text() == TENANTS
    gone = "tests/api/test_cors.py:2: chassis.development.testing.http_cases.CONFIG"
    assert list(unresolved.names(project)) == [gone]
    assert "has a chassis/ already" in move(proof, project, 1)
    git("reset", "--quiet", "--hard", cwd=outer)
    assert git("status", "--porcelain", cwd=outer) == ""


SKU = (
    "from src.api.schemas import fields\nfrom src.api.schemas.base import Schema\n\n\n"
    "class SkuInput(Schema):\n    sku = fields.Sku(max_length=9)\n"
)
TENANTS = "from src.api.requests import PageArguments, tenant\n\nWHO = (PageArguments, tenant)\n"


def test_a_name_that_is_no_longer_there_is_listed(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/there.py").write_text("A, (B, *C) = 1, (2, 3)\n\n\ndef f(): ...\n")
    (tmp_path / "src/broken.py").write_text("<<<<<<< ours\n")
    (tmp_path / "src/user.py").write_text(
        "import src.gone\nfrom src import there\nfrom src.there import A, B, C, D, f\n"
        "from src.broken import anything\nfrom elsewhere import x\n"
    )
    assert list(unresolved.names(tmp_path)) == [
        "src/user.py:1: src.gone",
        "src/user.py:3: src.there.D",
    ]


def test_names_are_followed_in_every_form_of_import() -> None:
    mapping = Mapping(files={"src/a.py": "chassis/b.py"})
    mapping.names["src.a"]["stays"] = "src.a"
    text = (
        "from src.a import one, stays  # Why.\n"
        "from src.a import (\n    one,\n    two as three,\n)\n"
        "from src import a\nimport src.a\n\nNAME = 'src.a.one'\nPATH = 'src/a.py'\n"
        "TEXTS = 'from src.a import one', 'from src.a import stays, one'\n"
    )
    assert rewrite(text, mapping, python=True) == (
        "from chassis.b import one  # Why.\nfrom src.a import stays  # Why.\n"
        "from chassis.b import one, two as three\n"
        "from chassis import b as a\nimport chassis.b\n\nNAME = 'chassis.b.one'\n"
        "PATH = 'chassis/b.py'\n"
        "TEXTS = 'from chassis.b import one', 'from src.a import stays, one'\n"
    )

"""proofs/README.md names every proof, and its example of a new one works as it stands."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from conftest import ROOT, environment

PAGE = (ROOT / "proofs/README.md").read_text("utf-8")
ROWS = re.findall(r"^\| `python -m (proofs\.\w+)` \| (.+) \| (.+) \| .*\|$", PAGE, re.MULTILINE)
EXAMPLES = re.findall(r"`(proofs/[\w/]+\.py)`:\n\n   ```python\n(.*?)   ```\n", PAGE, re.DOTALL)


def python(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def entries() -> set[str]:
    """Modules and packages of proofs/ that have a command line of their own."""
    modules = [path for path in (ROOT / "proofs").glob("*.py") if "parser(" in path.read_text()]
    packages = [path.parent for path in (ROOT / "proofs").glob("*/__main__.py")]
    return {f"proofs.{path.stem}" for path in [*modules, *packages]}


def test_the_page_has_a_row_for_each_proof() -> None:
    assert {name for name, *_ in ROWS} == entries()
    assert all(what.strip() and time.strip() for _, what, time in ROWS)


@pytest.mark.parametrize("module", sorted(entries()))
def test_each_proof_says_how_it_is_called(module: str) -> None:
    result = python("-m", module, "--help")
    assert result.returncode == 0, result.stdout
    assert f"usage: python -m {module} " in result.stdout


def test_the_page_names_each_module_of_the_harness() -> None:
    files = {path.stem for path in (ROOT / "proofs/harness").glob("[!_]*.py")}
    named = set(re.findall(r"^\| `(\w+)` \| ", PAGE, re.MULTILINE))
    # The testbed uses these two; proofs do not.
    assert named == files - {"project_copy", "proof_revision"}


def test_no_file_name_has_two_meanings() -> None:
    names = [path.name for path in (ROOT / "proofs").rglob("[!_]*.py")]
    assert sorted(names) == sorted(set(names))


@pytest.fixture
def stranger(tmp_path: Path) -> Path:
    """A copy of the proofs to which somebody added the examples of the page."""
    shutil.copytree(ROOT / "proofs", tmp_path / "proofs")
    for name, text in EXAMPLES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(dedent(text))
    return tmp_path


def test_the_proof_that_the_page_adds_holds_and_can_fail(
    stranger: Path, default_project: Path
) -> None:
    project = shutil.copytree(default_project, stranger / "project")
    command = ("-m", "proofs.links", "--project", str(project))
    result = python(*command, cwd=stranger)
    assert result.returncode == 0, result.stdout
    assert re.search(r"pass  links that lead nowhere +0", result.stdout)

    (project / "docs/how-to.md").unlink()
    result = python(*command, cwd=stranger)
    assert result.returncode == 1
    assert "FAIL  links that lead nowhere" in result.stdout


def test_the_examples_of_the_page_are_linted(stranger: Path) -> None:
    assert len(EXAMPLES) == 3
    files = [str(stranger / name) for name, _ in EXAMPLES]
    configuration = ("--config", str(ROOT / "pyproject.toml"))
    for check in (("check",), ("format", "--check")):
        result = python("-m", "ruff", *check, *configuration, *files)
        assert result.returncode == 0, result.stdout


@pytest.mark.long
@pytest.mark.alone
def test_the_proof_under_load_that_the_page_adds_holds(stranger: Path, copy: Path) -> None:
    # The modules that the project's Python runs are found in the template's folder.
    result = python("-m", "proofs.reindexing", "--project", str(copy), cwd=stranger)
    assert result.returncode == 0, result.stdout
    assert int(re.search(r"acknowledged writes +(\d+)", result.stdout)[1]) > 0  # type: ignore[index]

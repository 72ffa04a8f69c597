"""The chassis's own tests (tests/chassis) pass on a generated project."""

import re
import subprocess
from pathlib import Path

import pytest
from conftest import PROJECT_FOLDER, ROOT, Report, environment, make, prove

from proofs.chassis import FOLDERS, ROOMS, SUITE, TABLE, WRITTEN, suite_of


def run(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return prove("proofs.chassis", project, *arguments)


def how_many(output: str) -> int:
    return sum(map(int, re.findall(r"^Ran (\d+) tests", output, re.MULTILINE)))


def test_they_pass_and_reach_the_branches_of_the_chassis(copy: Path, report: Report) -> None:
    result = run(copy, "--coverage")
    assert result.returncode == 0, result.stdout
    [total] = re.findall(r"^TOTAL .* (\d+)%$", result.stdout, re.MULTILINE)
    tests = how_many(result.stdout)
    assert tests > 500
    report.append(f"chassis: {tests} tests of its own, {total} % of its branches")


def test_they_notice_a_patch_that_breaks_something(copy: Path) -> None:
    identity = copy / "chassis/core/identity.py"
    identity.write_text(identity.read_text() + "\n\ndef uuid7() -> UUID:\n    return UUID(int=0)\n")
    result = run(copy, "unit.test_identity")
    assert result.returncode == 1, result.stdout
    assert "FAIL" in result.stdout


def test_every_folder_of_them_is_run() -> None:
    folders = {path.parent.relative_to(SUITE).parts[0] for path in SUITE.rglob("test_*.py")}
    assert folders == set(FOLDERS)


def test_their_types_are_right(copy: Path) -> None:
    mypy = [".venv/bin/python", "-m", "mypy", "--allow-untyped-decorators"]
    result = subprocess.run(
        # test_jobs.py and test_files.py cover the rooms that this project lacks.
        [*mypy, *map(str, [SUITE / name for name in FOLDERS if name not in ROOMS])],
        cwd=copy,
        env=environment(MYPYPATH=str(SUITE)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout


def test_what_they_show_of_security_is_written_down(copy: Path, tmp_path: Path) -> None:
    """`make security` of the template writes the table and its page."""
    before = [(copy / name).read_text() for name in WRITTEN]
    for arguments in (["chassis", str(suite_of(copy, tmp_path))], ["write"]):
        subprocess.run(
            [".venv/bin/python", "-m", TABLE, *arguments],
            cwd=copy,
            env=environment(PYTHONPATH=str(SUITE)),
            check=True,
        )
    assert [(copy / name).read_text() for name in WRITTEN] == before


@pytest.mark.parametrize("folder", ["tests", "src"])
def test_no_project_has_them(folder: str) -> None:
    names = {path.name for path in SUITE.rglob("test_*.py")}
    project = ROOT / PROJECT_FOLDER / folder
    assert not names & {path.name for path in project.rglob("test_*.py")}


def test_make_runs_them_on_any_project(copy: Path) -> None:
    assert "proofs.chassis --project" in make(ROOT, "--dry-run", "test-chassis", f"PROJECT={copy}")

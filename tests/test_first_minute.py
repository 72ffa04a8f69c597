"""`make run` makes a project of each combination of answers ready."""

import hashlib
import os
import re
from pathlib import Path

import pytest
from conftest import bake_into, project_files
from test_demo import started

from proofs.matrix import Combination, combinations

pytestmark = pytest.mark.long

# A start and the tests depend on these; other scripts serve pipelines.
RUNS = (
    "chassis/",
    "src/",
    "migrations/",
    "requirements/",
    "tests/",
    "scripts/install.sh",
    "Makefile",
)


def fingerprint(project: Path) -> str:
    """Hash all files that a start and the tests depend on."""
    digest = hashlib.sha256()
    for path in project_files(project):
        if str(path).startswith(RUNS):
            digest.update(str(path).encode() + b"\0" + (project / path).read_bytes())
    return digest.hexdigest()


def first_command(project: Path) -> str:
    found = re.search(
        r"^```sh\n(\S.*?)(?:  #.*)?$", (project / "README.md").read_text(), re.MULTILINE
    )
    assert found
    return found[1].strip()


@pytest.fixture(scope="module")
def every(template: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Combination]:
    """Return the combinations of `make matrix`, without those for other versions of Python."""
    found = combinations(template, tmp_path_factory.mktemp("combinations"))
    return [one for one in found if one.python is None]


@pytest.fixture(scope="module")
def different(
    every: list[Combination],
    template: Path,
    installed: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Path]:
    """Return one project for each set of answers with different running code."""
    found: dict[str, Path] = {}
    for one in every:
        made = bake_into(tmp_path_factory.mktemp("answers"), template, **dict(one.answers))
        found.setdefault(fingerprint(made), made)
    for made in found.values():
        # Root's embedded PostgreSQL runs as another user.
        made.parent.chmod(0o755)
        (made / ".venv").symlink_to(installed / ".venv")
        for name in ("requirements/run.txt", "requirements/development.txt"):
            os.utime(made / name, (0, 0))  # So that make does not reinstall the shared environment.
    return found


def test_each_combination_starts_with_the_first_command_of_its_readme(
    every: list[Combination], different: dict[str, Path], report: list[str]
) -> None:
    for project in different.values():
        assert first_command(project) == "make run"
        with started(project, "make", "run"):
            pass  # The service was ready.
    report.append(
        f"answers: {len(every)} combinations, {len(different)} of them differ in what runs; "
        "each of these was started"
    )


def test_each_combination_that_differs_is_tested_as_a_whole(
    different: dict[str, Path], default_project: Path, empty_project: Path
) -> None:
    """test_project.py tests these two; test_jobs.py and test_files.py test the other switches."""
    parts = ("src/tasks", "chassis/storage")
    plain = {
        one for one, made in different.items() if not any((made / part).exists() for part in parts)
    }
    assert plain == {fingerprint(default_project), fingerprint(empty_project)}

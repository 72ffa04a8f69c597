"""Each example can be built on a new project, and does what its page says."""

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Report

from proofs.brokers import has_broker
from proofs.example_page import Block, fits, read_blocks
from proofs.examples import Build, ExampleError, Recipe, names
from proofs.harness.generation import ROOT


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    # Root's embedded PostgreSQL runs as another user.
    tmp_path.chmod(0o755)
    return tmp_path


# test_order_desk.py tests the order desk.
@pytest.mark.parametrize("name", sorted(set(names()) - {"order_desk"}))
def test_an_example_still_fits_on_a_new_project(
    name: str, copy: Path, folder: Path, report: Report
) -> None:
    recipe = Recipe.read(name)
    plain = {"background_jobs", "file_storage"}.isdisjoint(recipe.answers)
    Build(recipe, folder, report.append, copy / ".venv" if plain else None).make()
    report.append(f"{name}: {recipe.lines()} lines by hand")


@pytest.mark.long
@pytest.mark.parametrize("name", names())
def test_an_example_is_built_tested_and_asked(name: str, folder: Path, report: Report) -> None:
    build = Build(Recipe.read(name), folder, report.append)
    build.make()
    build.prove()
    build.ask()
    if name == "videos":
        prove_videos(build.project, report)


def prove_videos(project: Path, report: Report) -> None:
    if not has_broker():
        report.append("videos: not proved end to end, there is no RabbitMQ")
        return
    result = subprocess.run(
        [sys.executable, "-m", "proofs.videos", "--project", project],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.endswith("proved\n")


PAGE = """\
```sh docker background
docker run backend
```
<!-- ready: http://127.0.0.1:8080/health/live -->

```sh
curl 1
```
```json
{"a": "…"}
```

```text
not the output of anything
```
"""


def test_a_page_is_read_as_it_is_written() -> None:
    assert read_blocks(PAGE) == [
        Block(
            "docker run backend\n",
            frozenset({"docker", "background"}),
            ready="http://127.0.0.1:8080/health/live",
        ),
        Block("curl 1\n", frozenset(), expected_json='{"a": "…"}\n'),
    ]


@pytest.mark.parametrize(
    ("found", "expected", "same"),
    [
        ({"a": 1}, {"a": "…"}, True),
        ({"a": 1}, {"a": 1}, True),
        ({"a": [1, 2]}, {"a": [1, "…"]}, True),
        ({"a": 1}, {"a": 2}, False),
        ({"a": 1}, {"a": True}, False),
        ({"a": 1}, {}, False),
        ({}, {"a": "…"}, False),
        ([1], [1, "…"], False),
    ],
)
def test_what_is_printed_is_compared_with_the_page(
    found: object, expected: object, same: bool
) -> None:
    assert fits(found, expected) is same


def test_a_file_that_is_a_projects_own_is_not_laid_over_unsaid(folder: Path) -> None:
    build = Build(Recipe.read("order_desk"), folder, print)
    build.project.mkdir()
    (build.project / "tests/api").mkdir(parents=True)
    (build.project / "tests/api/test_orders.py").touch()
    for name in build.recipe.replaces:
        (build.project / name).parent.mkdir(parents=True, exist_ok=True)
        (build.project / name).touch()
    with pytest.raises(ExampleError, match=r"tests/api/test_orders.py is a project's own"):
        build._lay_over()


def test_a_patch_that_no_longer_fits_stops_the_build(folder: Path) -> None:
    build = Build(Recipe.read("order_desk"), folder, print)
    build.project.mkdir()
    build._git("init", "--quiet")
    for name in (*build.recipe.replaces, "src/dependency_container.py"):
        (build.project / name).parent.mkdir(parents=True, exist_ok=True)
        (build.project / name).write_text("other = 1\n")
    (build.project / "README.md").write_text("# A project\n")
    with pytest.raises(ExampleError, match=r"patch failed: src/dependency_container.py"):
        build._lay_over()

"""The counted figures of `make bench-check`; times and CPU would need an idle machine."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, Bake, environment

from benchmarks.budget import Figures, budget, regressions, unmeasured
from benchmarks.environments import open_writes

ALLOWED = {"queries": {"read": 1.0, "list": 1.0}, "cpu_to_flask": {"read": 2.2}}
GET = "        rows = statement.rows("
ENQUEUE = "        task_named(task).require(arguments)\n"


def guard(project: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.guard", "--without-load"]
    return subprocess.run(
        [*command, f"--project={project}"],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("within", [{"queries": {"read": 1}}, {"cpu_to_flask": {"read": 2.2}}])
def test_what_is_within_its_budget_is_none(within: dict[str, dict[str, float]]) -> None:
    assert list(regressions(within, ALLOWED)) == []


def test_a_regression_names_workload_figure_and_budget() -> None:
    measured: Figures = {"queries": {"read": 1, "list": 2}, "cpu_to_flask": {"read": 2.2001}}
    assert list(regressions(measured, ALLOWED)) == [
        "list: queries is 2, and its budget 1.",
        "read: cpu_to_flask is 2.2001, and its budget 2.2.",
    ]


def test_nothing_escapes_for_want_of_a_budget_or_of_a_figure() -> None:
    measured: Figures = {"queries": {"read": 1, "list": 1, "create": 1}, "memory": {"process": 1}}
    assert list(regressions(measured, ALLOWED)) == [
        "create: queries has no budget.",
        "process: memory has no budget.",
    ]
    assert list(unmeasured(measured, ALLOWED)) == [
        "read: cpu_to_flask has a budget, and was not measured."
    ]


def test_reads_are_allowed_one_query() -> None:
    allowed = budget()
    for name in ("queries", "round_trips"):
        assert (allowed[name]["read"], allowed[name]["list"]) == (1, 1)


def test_the_default_project_keeps_to_it_until_it_asks_twice(copy: Path) -> None:
    open_writes(copy)
    result = guard(copy)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "added_by_an_enqueue" in result.stdout
    repository = copy / "chassis/postgres/sql_repository.py"
    source = repository.read_text()
    assert source.count(GET) == 1
    twice = f'        self._connection.exec_driver_sql("SELECT 1")\n{GET}'
    repository.write_text(source.replace(GET, twice))
    result = guard(copy)
    assert result.returncode == 1, result.stdout + result.stderr
    told = result.stdout.splitlines()
    assert "read: queries is 2, and its budget 1." in told
    assert "update: round_trips is 4, and its budget 3." in told
    assert not any(line.startswith(("list:", "create:")) for line in told)


def test_an_enqueue_that_asks_twice_is_counted(copy: Path, bake: Bake) -> None:
    project = bake(background_jobs="celery")
    (project / ".venv").symlink_to(copy / ".venv")
    open_writes(project)
    outbox = project / "chassis/jobs/outbox.py"
    source = outbox.read_text()
    assert source.count(ENQUEUE) == 1
    twice = f'{ENQUEUE}        self._connection.exec_driver_sql("SELECT 1")\n'
    outbox.write_text(source.replace(ENQUEUE, twice))
    result = subprocess.run(
        [project / ".venv/bin/python", "-m", "benchmarks.enqueued", project, "still"],
        cwd=ROOT,
        env=environment(PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == {"added_by_an_enqueue": {"statements": 2, "round trips": 2}}

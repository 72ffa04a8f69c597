"""The answer `background_jobs`: "none" leaves no trace, "celery" makes a working project."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest
from conftest import (
    ROOT,
    Bake,
    Report,
    command,
    environment,
    make,
    short_form,
)
from switches import common, mentions, passed_by_the_chassis, project_with, versions
from test_clusters import OVERLAYS, assert_restricted, pod, validated
from test_documents import blocks, commands

from proofs.brokers import find_broker, has_broker
from proofs.chassis import SUITE

WORDS = re.compile(rb"celery|rabbitmq|chassis[./]jobs|src[./]tasks|ops\.job|enqueue|JOB_PROCESSES")
GUIDE = "docs/jobs.md"
NAMES = ("housekeeping", "in_process", "job_operations", "job_traces", "jobs", "stand_in")
MODULES = tuple(f"jobs.test_{name}" for name in NAMES)


@pytest.fixture(scope="module")
def jobs_project(installed: Path, template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with jobs, with the default project's environment and Celery."""
    folder = tmp_path_factory.mktemp("jobs")
    return project_with(installed, template, folder, "jobs.txt", background_jobs="celery")


@pytest.mark.parametrize("kind", ["default_project", "empty_project"])
def test_without_it_nothing_of_it_is_there(kind: str, request: pytest.FixtureRequest) -> None:
    assert not mentions(request.getfixturevalue(kind), WORDS)


def test_what_it_adds_has_the_same_versions(template: Path) -> None:
    added = versions(template, "jobs.txt")
    assert added["celery"] >= "5.7"
    for other in (versions(template, one) for one in ("development.txt", "runtime.txt")):
        assert common(added, other) == common(other, added)


def test_a_project_with_it_passes_its_checks_and_tests(jobs_project: Path) -> None:
    make(jobs_project, "check")
    make(jobs_project, "test")


@pytest.mark.long
def test_the_chassis_passes_its_tests_of_it(jobs_project: Path, report: Report) -> None:
    tests = passed_by_the_chassis(jobs_project, *MODULES)
    assert set(MODULES) == {f"jobs.{path.stem}" for path in (SUITE / "jobs").glob("test_*.py")}
    report.append(f"jobs: {tests} tests of the chassis")


def sections(text: str) -> Iterator[tuple[str, list[str]]]:
    for section in text.split("\n### ")[1:]:
        heading, _, body = section.partition("\n")
        if name := re.search(r"`([\w/.]+)`", heading):
            yield name[1], blocks(body.partition("\n## ")[0], "python")


@pytest.mark.long
def test_the_guide_runs_as_it_stands(jobs_project: Path) -> None:
    text = (jobs_project / GUIDE).read_text()
    lines = commands(text)
    before = lines.index(next(line for line in lines if "openapi write" in line))
    for line in lines[1:before]:  # The fixture has already run the first command.
        assert_runs(line, jobs_project)
    for name, code in sections(text):
        path = jobs_project / name
        if len(code) == 1:
            path.write_text(code[0])
            continue
        imports, added = code
        if name.startswith("src/services"):
            added = re.sub(r"^(?=.)", "    ", added, flags=re.MULTILINE)
        path.write_text(f"{imports}{path.read_text()}\n{added}")
    for line in lines[before:]:
        assert_runs(line, jobs_project)
    assert_runs("make check", jobs_project)


def assert_runs(line: str, project: Path) -> None:
    result = command(line, cwd=project)
    assert result.returncode == 0, f"{line}\n{result.stdout}{result.stderr}"


@pytest.mark.long
@pytest.mark.alone
def test_whatever_is_killed_or_ended_each_committed_job_has_its_effect_once(
    jobs_project: Path, report: Report
) -> None:
    broker = find_broker()
    if broker is None:
        report.append("jobs: the proof was not run, there is no RabbitMQ")
        pytest.skip("jobs: there is no RabbitMQ, neither Docker's nor Debian's")
    broker.remove()
    output = short_form("proofs.jobs", jobs_project)
    report.append("jobs: " + "; ".join(re.findall(r"^(?:RabbitMQ|killed|ended).*$", output, re.M)))


def marked(mark: str) -> set[int]:
    """The processes that inherited a variable of this value, by their ids."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):  # It has ended meanwhile.
            if mark.encode() in path.read_bytes():
                found.add(int(path.parent.name))
    return found


@pytest.mark.long
@pytest.mark.alone
def test_the_proof_ends_what_it_started_when_it_is_ended(jobs_project: Path) -> None:
    if not has_broker():
        pytest.skip("jobs: there is no RabbitMQ, neither Docker's nor Debian's")
    mark = f"proof-of-jobs-{uuid4()}"
    line = [sys.executable, "-m", "proofs.jobs", "--shutdown", "--project", str(jobs_project)]
    proof = subprocess.Popen(
        line,
        cwd=ROOT,
        env=environment(STARTED_BY=mark),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert proof.stdout is not None
    begun = next((text for text in proof.stdout if text.startswith("RabbitMQ")), None)
    assert begun is not None  # API, relay and worker run.
    assert len(marked(mark)) > 3
    proof.terminate()
    output, _ = proof.communicate(timeout=120)
    assert proof.returncode == 1, output
    assert marked(mark) == set(), output


def test_relay_and_worker_have_valid_manifests(bake: Bake, tmp_path: Path) -> None:
    project = bake(background_jobs="celery", kubernetes=True)
    runner = (project / "chassis/jobs/worker.py").read_text()
    grace = int(re.findall(r"^GRACE_SECONDS = (\d+)$", runner, re.MULTILINE)[0])
    seconds = re.findall(
        r"^ATTEMPTS, SECONDS = \d+, (\d+)$",
        (project / "chassis/jobs/tasks.py").read_text(),
        re.MULTILINE,
    )
    for overlay in OVERLAYS:
        resources = validated(project / "deploy/overlays" / overlay / "application", tmp_path)
        deployments = {
            one["metadata"]["name"]: one for one in resources if one["kind"] == "Deployment"
        }
        assert deployments.keys() == {"api", "relay", "worker"}
        for name in ("relay", "worker"):
            assert_restricted(deployments[name])
        assert pod(deployments["worker"])["terminationGracePeriodSeconds"] > int(seconds[0]) + grace

"""The answer `file_storage`: "none" leaves no trace, "s3" makes a working project."""

import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
import yaml
from conftest import (
    PROJECT_FOLDER,
    Bake,
    Report,
    command,
    environment,
    make,
)
from switches import common, mentions, passed_by_the_chassis, project_with, versions
from test_clusters import OVERLAYS, SECRET, of_kind, render
from test_documents import commands

from proofs.chassis import SUITE
from proofs.harness.processes import free_port

WORDS = re.compile(
    rb"boto3|S3_BUCKET|seaweed|stored_?file|chassis[./]storage|core[./]storage|file_service|/\.files"
    rb"|requirements/storage|files:write",
    re.IGNORECASE,
)
GUIDE = "docs/files.md"
NAMES = ("clamd", "file_operations", "media_types", "references", "s3", "stores", "sweep")
MODULES = tuple(f"storage.test_{name}" for name in NAMES)
START_SECONDS = 120
LOAD = """
import src
from chassis.settings import load_config
from src.config import Config
load_config(Config)
"""
SECRETS = {
    "DATABASE_URL": "postgresql://service@db/shop",
    "SECRET_KEY": "of a test, and of nothing else at all",
    "JWT_JWKS_URL": "https://issuer.example.org/keys",
    "JWT_ISSUER": "https://issuer.example.org",
    "JWT_AUDIENCE": "shop",
    "S3_ACCESS_KEY": "a key",
    "S3_SECRET_KEY": "a secret",
    "BROKER_URL": "amqp://service:secret@rabbitmq/",
}


@pytest.fixture(scope="module")
def files_project(
    installed: Path, template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A project that stores files, with the default project's environment and S3 packages."""
    folder = tmp_path_factory.mktemp("files")
    return project_with(installed, template, folder, "storage-development.txt", file_storage="s3")


@pytest.mark.parametrize("kind", ["default_project", "empty_project"])
def test_without_it_nothing_of_it_is_there(kind: str, request: pytest.FixtureRequest) -> None:
    assert not mentions(request.getfixturevalue(kind), WORDS)


@pytest.mark.parametrize("name", ["storage.txt", "storage-development.txt"])
def test_what_it_adds_has_the_same_versions(name: str, template: Path) -> None:
    added = versions(template, name)
    assert added["boto3"] >= "1.44"
    for other in (
        versions(template, one)
        for one in ("development.txt", "runtime.txt", "telemetry.txt", "storage.txt")
    ):
        assert common(added, other) == common(other, added)


def test_no_server_is_a_part_of_what_serves(template: Path) -> None:
    served = (template / PROJECT_FOLDER / "requirements/storage.txt").read_text()
    assert "seaweed" not in served


def test_compose_hands_on_each_setting_of_s3(template: Path) -> None:
    project = template / PROJECT_FOLDER
    settings = (project / "chassis/storage/storage_settings.py").read_text()
    names = {name.upper() for name in re.findall(r"^    (s3_\w+):", settings, re.MULTILINE)}
    assert "S3_BUCKET" in names
    services = yaml.safe_load((project / "compose.yaml").read_text())["services"]
    for service in ("api", "jobs-relay", "jobs-worker"):
        assert names <= services[service]["environment"].keys()


def test_with_what_the_manifests_name_it_starts_in_production(
    files_project: Path, bake: Bake
) -> None:
    project = bake(file_storage="s3", background_jobs="celery", kubernetes=True)
    told = dict(SECRET.findall((project / "docs/clusters.md").read_text()))
    keys = re.findall(r"`([A-Z0-9_]+)`", told["api"] + told["api-store"] + told["api-broker"])
    for overlay in OVERLAYS:
        resources = render(project / "deploy/overlays" / overlay / "application")
        settings = of_kind(resources, "ConfigMap")["data"]
        assert complains(files_project, project, {**settings, **dict.fromkeys(keys, "")})
        assert not complains(files_project, project, {**settings, **SECRETS})
        assert SECRETS.keys() == set(keys)
        del settings["S3_BUCKET"]
        assert "S3_BUCKET" in complains(files_project, project, {**settings, **SECRETS})


def complains(installed: Path, project: Path, variables: dict[str, str]) -> str:
    """Return what the project says about these settings: nothing where they are complete."""
    (project / ".env").unlink(missing_ok=True)
    result = subprocess.run(
        [installed / ".venv/bin/python", "-c", LOAD],
        cwd=project,
        env={"PATH": "/usr/bin:/bin", **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert bool(result.returncode) is bool(result.stderr)
    return result.stderr


def test_a_project_with_it_passes_its_checks_and_tests(files_project: Path) -> None:
    make(files_project, "check")
    make(files_project, "test")


@pytest.mark.long
def test_the_chassis_passes_its_tests_of_it(files_project: Path, report: Report) -> None:
    tests = passed_by_the_chassis(files_project, *MODULES)
    assert set(MODULES) == {f"storage.{path.stem}" for path in (SUITE / "storage").glob("test_*")}
    report.append(f"files: {tests} tests of the chassis, on a real S3 server and on a disk")


@pytest.mark.long
def test_the_commands_of_the_guide_are_run(files_project: Path) -> None:
    guide = (files_project / GUIDE).read_text()
    # A reader of the guide has already run `make run`, which migrates.
    for line in (".venv/bin/python manage.py db upgrade", *commands(guide)):
        result = command(line, cwd=files_project)
        assert result.returncode == 0, f"{line}\n{result.stdout}{result.stderr}"
    [script] = re.findall(r"^```sh service\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL)
    with running(files_project) as address:
        api = f"{address}/{files_project.name}/v1"
        result = command(f"set -eu\n{script}", cwd=files_project, API=api)
    assert result.returncode == 0, result.stdout + result.stderr


@contextmanager
def running(project: Path) -> Iterator[str]:
    """Run the service; yield its address."""
    port = free_port()
    process = subprocess.Popen(
        [".venv/bin/python", "manage.py", "run", "--port", str(port)],
        cwd=project,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    address, deadline = f"http://127.0.0.1:{port}", time.monotonic() + START_SECONDS
    try:
        while process.poll() is None and time.monotonic() < deadline:
            try:
                urlopen(f"{address}/health/ready", timeout=5).close()
                break
            except (URLError, ConnectionError):
                time.sleep(0.1)
        yield address
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)

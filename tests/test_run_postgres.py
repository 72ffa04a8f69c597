"""scripts/run_postgres.sh starts a container with a volume, and prints a working URL."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from conftest import bake_into, command
from test_containers import docker

from proofs.harness.processes import free_port

pytestmark = pytest.mark.usefixtures("engine")


@pytest.fixture
def project(template: Path, tmp_path: Path) -> Iterator[Path]:
    folder = bake_into(tmp_path, template, project_slug=f"database_{uuid4().hex[:8]}")
    yield folder
    name = f"postgres-{folder.name}"
    docker("rm", "--force", name, check=False)
    docker("volume", "rm", "--force", name, check=False)


def run(project: Path, port: int, **variables: str) -> subprocess.CompletedProcess[str]:
    line = "timeout 120 scripts/run_postgres.sh"
    return command(line, cwd=project, POSTGRES_PORT=str(port), **variables)


def ask(url: str, statement: str) -> str:
    psql = ["psql", "--no-align", "--tuples-only", "--quiet", url, "--command", statement]
    return docker("run", "--rm", "--network=host", "postgres:17-alpine", *psql)


def test_it_starts_a_database_once_and_prints_its_url(project: Path) -> None:
    port = free_port()
    first = run(project, port)
    assert first.returncode == 0, first.stderr
    url = first.stdout.removesuffix("\n")
    assert url.startswith("postgresql://postgres:")
    assert f"@127.0.0.1:{port}/" in url
    assert ask(url, "CREATE TABLE kept (id int); SELECT 'it works'") == "it works"

    name = f"postgres-{project.name}"
    identity = docker("inspect", "--format={{.Id}}", name)
    second = run(project, port)
    assert (second.returncode, second.stdout) == (0, first.stdout)
    assert "runs already" in second.stderr
    assert docker("inspect", "--format={{.Id}}", name) == identity

    docker("stop", name)
    third = run(project, port)
    assert (third.returncode, third.stdout) == (0, first.stdout), third.stderr
    assert ask(url, "SELECT count(*) FROM kept") == "0"


def test_a_port_that_is_taken_is_a_sentence(project: Path) -> None:
    first = run(project, port := free_port())
    assert first.returncode == 0, first.stderr
    docker("rename", f"postgres-{project.name}", f"other-{project.name}")
    try:
        second = run(project, port)
    finally:
        docker("rename", f"other-{project.name}", f"postgres-{project.name}", check=False)
    assert (second.returncode, second.stdout) == (1, "")
    assert f"port {port} is in use; set POSTGRES_PORT" in second.stderr


def test_without_a_password_it_says_so(project: Path) -> None:
    (project / ".env").unlink()
    result = run(project, free_port())
    assert (result.returncode, result.stdout) == (1, "")
    assert "set POSTGRES_PASSWORD" in result.stderr

"""The default project works behind PgBouncer as docs/scaling.md configures it."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest
from conftest import ROOT, Report, command, environment
from pooler import PASSWORD, PgBouncer, Postgres, configuration, postgres, wait_until

from proofs.harness.processes import free_port

# Added to the copy's engines.py, so that the service's connections go through PgBouncer.
# Migrators, and the connections of the tests, which look from outside, go to the server itself.
THROUGH_PGBOUNCER = """

_directly = _engine


def _engine(url: str | URL, *given: Any, **engine: Any) -> Engine:
    server = make_url(url)
    if server.query.get("host") == "{sockets}":
        kept = {{key: server.query[key] for key in server.query.keys() & {{"options"}}}}
        url = server.set(host="127.0.0.1", port={port}, query=kept)
        if server.username == "postgres":
            url = url.set(username="service", password="{password}")
    return _directly(url, *given, **engine)
"""
SETTINGS = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")


@pytest.fixture(scope="session")
def pgbouncer(report: Report) -> str:
    """Require PgBouncer. Without it the test is skipped, and the end of the run says so."""
    found = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        report.append("PgBouncer: not run, there is no pgbouncer")
        pytest.skip("there is no pgbouncer")
    return found


@pytest.fixture
def server(pgbouncer: str, copy: Path, tmp_path: Path) -> Iterator[Postgres]:  # noqa: ARG001
    with postgres(copy, tmp_path / "postgres") as running:
        running.make_roles()
        yield running


@contextmanager
def pooler(program: str, server: Postgres, text: str, folder: Path) -> Iterator[PgBouncer]:
    running = PgBouncer(program, text, server.sockets, folder)
    try:
        yield running
    finally:
        running.kill()


def page(project: Path) -> str:
    return configuration((project / "docs/scaling.md").read_text())


@pytest.mark.long
def test_the_whole_suite_passes_through_it(
    pgbouncer: str, server: Postgres, tmp_path: Path, report: Report
) -> None:
    # The tests create tables and roles as the service's role, so it has to be a superuser.
    server.psql("--command=ALTER ROLE service SUPERUSER", server.url_as("postgres"))
    text, times = re.subn(r"(?m)^service = (.*) dbname=\S+", r"* = \1", page(server.project))
    assert times == 1
    engines = server.project / "chassis/postgres/engines.py"
    with pooler(pgbouncer, server, f"{text}auth_user = postgres\n", tmp_path / "pooler") as running:
        addition = {"port": running.port, "sockets": server.sockets, "password": PASSWORD}
        engines.write_text(engines.read_text() + THROUGH_PGBOUNCER.format(**addition))
        suites = [sys.executable, "-m", "proofs.chassis", "--project", str(server.project)]
        result = subprocess.run(
            suites,
            cwd=ROOT,
            env=environment(TEST_DATABASE_URL=server.url, TEST_DATABASE=""),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stdout
        output = result.stdout
        databases = set(running.logins())
    assert "skipped=" not in output
    assert len(databases) > 15, databases  # Each test class has its own database.
    tests = sum(map(int, re.findall(r"^Ran (\d+) tests", output, re.MULTILINE)))
    report.append(f"PgBouncer: {tests} tests pass through it, on {len(databases)} databases")


@contextmanager
def service(project: Path, **settings: str) -> Iterator[str]:
    """Yield the service's URL. It is started once, also where connections are lost."""
    port = free_port()
    with subprocess.Popen(
        [".venv/bin/python", "manage.py", "serve"],
        cwd=project,
        env=environment(PORT=str(port), LOG_LEVEL="ERROR", **settings),
    ) as process:
        url = f"http://127.0.0.1:{port}"
        try:
            ready = f"{url}/health/ready"
            wait_until(lambda: asked(ready)[0] == 200, lambda: f"{url} is not ready")
            yield url
        finally:
            process.terminate()


def asked(url: str, token: str = "", body: object = None) -> tuple[int, str]:
    """Return the status, 0 without a response, and Retry-After."""
    sent = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    try:
        with urlopen(Request(url, sent, headers if token else {}), timeout=20) as answer:
            return answer.status, ""
    except HTTPError as error:
        with error:
            return error.code, error.headers.get("Retry-After", "")
    except (URLError, ConnectionError, TimeoutError):
        return 0, ""


def test_the_service_bears_its_faults(
    pgbouncer: str, server: Postgres, tmp_path: Path, report: Report
) -> None:
    project = server.project
    with pooler(pgbouncer, server, page(project), tmp_path / "pooler") as running:
        database = {"DATABASE_URL": running.url(), "ENVIRONMENT": "development"}
        upgrade = ".venv/bin/python manage.py db upgrade"
        assert command(upgrade, cwd=project, **database).returncode == 78
        database["MIGRATION_DATABASE_URL"] = server.url_as("migrator")
        assert command(upgrade, cwd=project, **database).returncode == 0
        shown = "SELECT " + ", ".join(f"current_setting('{name}')" for name in SETTINGS)
        assert server.psql(f"--command={shown}", running.url()) == "2s|15s|15s"
        with service(project, **database) as url:
            made = command(".venv/bin/python manage.py token", cwd=project, **database)
            todos = f"{url}/my_service/v1/todos"

            def told() -> list[tuple[int, str]]:
                return [asked(todos), asked(todos, made.stdout.strip(), {"title": "Through it"})]

            works, refused = [(200, ""), (201, "")], [(503, "2"), (503, "2")]
            assert told() == works
            running.pause()
            wait_until(lambda: told() == refused, lambda: f"paused: {told()}")
            running.resume()
            wait_until(lambda: told() == works, lambda: f"resumed: {told()}")
            running.kill()
            assert told() == refused
            running.start()
            wait_until(lambda: told() == works, lambda: f"started again: {told()}")
    report.append("PgBouncer: paused or killed it costs 503s with Retry-After, and nothing later")

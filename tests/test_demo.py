"""`make demo` starts a service, and starts the same project the next time."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from conftest import command, environment, make

from proofs.harness.processes import free_port

SECONDS_TO_SET_UP = 300


@contextmanager
def started(folder: Path, *command: str) -> Iterator[str]:
    """Yield the URL of the ready service; end the service as Ctrl-C does."""
    port = free_port()
    process = subprocess.Popen(
        [*command, f"PORT={port}"],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_it_answers(url, process)
        yield url
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=30)


def wait_until_it_answers(url: str, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + SECONDS_TO_SET_UP
    while time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()[0]
        try:
            urlopen(f"{url}/health/ready", timeout=5).close()
        except (URLError, ConnectionError):
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(f"{url} did not answer within {SECONDS_TO_SET_UP} s")


def fetch(
    url: str, body: dict[str, str] | None = None, token: str = ""
) -> tuple[int, dict[str, str], Any]:
    """Return status, headers and body, which is parsed where it is JSON."""
    sent = None if body is None else json.dumps(body).encode()
    given = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    with urlopen(Request(url, sent, given), timeout=10) as answer:
        headers, text = dict(answer.headers), answer.read().decode()
        is_json = answer.headers.get_content_type() == "application/json"
        return answer.status, headers, json.loads(text) if is_json else text


def test_the_demo_serves_and_keeps_its_data(own_template: Path) -> None:
    with started(own_template, "make", "demo") as url:
        todos = f"{url}/my_service/v1/todos"
        made = command(".venv/bin/python manage.py token", cwd=own_template / "demo/my_service")
        assert made.returncode == 0, made.stderr
        status, headers, todo = fetch(todos, {"title": "Kept"}, made.stdout.strip())
        assert (status, headers["location"]) == (201, f"/my_service/v1/todos/{todo['id']}")
        assert fetch(url + headers["location"])[2] == todo
        assert fetch(todos)[2]["items"] == [todo]
        assert "swagger-ui" in fetch(f"{url}/docs")[2]
        assert "/my_service/v1/todos" in fetch(f"{url}/openapi.json")[2]["paths"]

    project = own_template / "demo/my_service"
    unused = [own_template / ".venv/bin/pytest", project / ".venv/bin/mypy"]
    assert not any(path.exists() for path in unused), "The tools wait until they are needed."
    before = (project / ".venv/bin/python").lstat().st_ctime_ns
    assert "Installing requirements/development.txt" in make(project, ".venv/.ready")
    assert (project / ".venv/bin/ruff").exists()
    assert (project / ".venv/bin/python").lstat().st_ctime_ns == before, "It was made anew."

    edited = project / "README.md"
    edited.write_text("mine")
    with started(own_template, "make", "demo") as url:
        assert fetch(f"{url}/my_service/v1/todos")[2]["items"] == [todo]
    assert edited.read_text() == "mine", "The second demo must not generate over the first."

"""Every command and block of a project's docs/how-to.md is run and applied, in order."""

import errno
import json
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

import pytest
from conftest import Report, command, make

PAGE = "docs/how-to.md"
TASKS = 13
BROKER_PORT = 5672
LONGEST = 10  # Lines of prose in a task.
RESPONSES = """
import json, src
from contextlib import closing
from chassis.development.testing.http_cases import HttpTestCase

class Case(HttpTestCase):
    def runTest(self):
        missing = self.client.get("/nothing")
        found = self.client.application.extensions["container"]
        print(json.dumps({
            "region": missing.headers["X-Region"],
            "help": missing.get_json(force=True)["help"],
            "port": found.config().broker_port,
            "probes": [type(probe).__name__ for probe in found.readiness_probes()],
            "methods": [type(found.mailer()).__name__, hasattr(found.note_service(), "_mailer")],
        }))

import unittest
unittest.TextTestRunner().run(Case())
"""
LINE = """
import src
from chassis.project import current_project
from chassis.development.testing.http_cases import config
handler = current_project().module("logging").configure_logging(config(environment="production"))
handler.write_event("info", "request")
"""


def sections(text: str) -> dict[str, str]:
    return dict(part.split("\n", 1) for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:])


def apply(project: Path, text: str) -> Iterator[str]:
    """Apply each block; yield the name of each file that a person opens for it."""
    for language, block in re.findall(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        if language == "sh":
            for line in block.splitlines():
                result = command(line, cwd=project)
                assert result.returncode == 0, f"{line}\n{result.stdout}{result.stderr}"
            continue
        first, _, rest = block.partition("\n")
        name = re.sub(r"^(\+\+\+|#) ", "", first)
        path = project / name
        if language == "diff":
            path.write_text(changed(path.read_text(), rest, name))
        else:
            assert not path.exists(), name
            path.parent.mkdir(exist_ok=True)
            path.write_text(rest)
        yield name


def changed(text: str, block: str, name: str) -> str:
    """Apply a diff: lines with + go where the lines around them are, in the order of the diff."""
    lines, waiting = text.splitlines(), list[str]()
    place: int | None = None  # The position after the last found line.
    for line in block.splitlines():
        sign, content = line[:1] or " ", line[1:]
        if sign == "+":
            waiting.append(content)
            continue
        assert content in lines[place or 0 :], f"{name} has no line {content!r} there."
        found = lines.index(content, place or 0)
        target = found if place is None else place
        lines[target:target] = waiting
        found += len(waiting)
        waiting = []
        place = found + 1
        if sign == "-":
            del lines[found]
            place = found
    assert place is not None
    lines[place:place] = waiting
    return "\n".join(lines) + "\n"


@pytest.fixture
def notes(empty_project: Path, copy: Path, tmp_path: Path) -> Path:
    project = shutil.copytree(empty_project, tmp_path / "notes")
    (project / ".venv").symlink_to((copy / ".venv").resolve())
    return project


def test_the_thirteen_tasks_of_the_page_hold(notes: Path, report: Report) -> None:
    text = (notes / PAGE).read_text()
    begin, _, _ = text.partition("\n## ")
    assert list(apply(notes, begin)) == []
    tasks = sections(text)
    assert len(tasks) == TASKS
    opened = {title: list(dict.fromkeys(apply(notes, body))) for title, body in tasks.items()}
    make(notes, "format")
    make(notes, "check")
    with broker():
        make(notes, "test")
    settings = command(".venv/bin/python manage.py config", cwd=notes).stdout
    assert "MAX_BODY_BYTES=5000000  (.env)" in settings
    assert "JWT_SCOPE_CLAIM=realm_access.roles  (.env)" in settings
    assert json.loads(run(notes, RESPONSES).splitlines()[0]) == {
        "region": "eu",
        "help": "/docs",
        "port": BROKER_PORT,
        "probes": ["BrokerProbe"],
        "methods": ["SmtpMailer", True],
    }
    assert json.loads(run(notes, LINE))["service"] == "notes"
    assert "Hello, Ada." in command(".venv/bin/python manage.py greet-people Ada", cwd=notes).stdout
    made = "\n".join(path.read_text() for path in (notes / "migrations/versions").glob("*.py"))
    assert "text_pattern_ops" in made
    files = sum(map(len, opened.values())) + TASKS  # The files of each task, and this page itself.
    report.append(f"the thirteen tasks: {files} files opened from the README on")


@contextmanager
def broker() -> Iterator[None]:
    """Accept the connections of the page's probe, unless this machine has a broker."""
    try:
        server = socket.create_server(("127.0.0.1", BROKER_PORT))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        yield
        return

    def serve() -> None:
        with suppress(OSError):  # The socket was closed.
            while True:
                server.accept()[0].close()

    with server:
        Thread(target=serve, daemon=True).start()
        yield


def test_each_task_is_short(default_project: Path) -> None:
    for title, body in sections((default_project / PAGE).read_text()).items():
        prose = re.sub(r"^```.*?^```$", "", body, flags=re.MULTILINE | re.DOTALL)
        lines = [line for line in prose.splitlines() if line.strip()]
        assert 1 <= len(lines) <= LONGEST, title


def run(project: Path, code: str) -> str:
    """Run a line; return its output."""
    result = subprocess.run(
        [".venv/bin/python", "-c", code],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout
    return result.stdout

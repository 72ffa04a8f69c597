"""`make audit` and `make check` reject unsafe packages and code, each with a sentence.

The real pip-audit asks a local server that replays recorded responses of the package index.
"""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from conftest import environment, make

# The index's response for flask 2.2.4, cut to the fields that are read.
ADVISORY = {
    "aliases": ["CVE-2023-30861", "GHSA-m2qf-hxjv-5gpq"],
    "details": "Cookies of one client may be sent to others.\nBy a cache that is shared.",
    "fixed_in": ["2.3.2", "2.2.5"],
    "id": "PYSEC-2023-62",
    "summary": None,
    "withdrawn": None,
}
HARMLESS: dict[str, list[Any]] = {"vulnerabilities": []}
# Python runs this at its start, because pip-audit has no setting for the index's address.
REDIRECTION = """
import os, requests
from urllib.parse import urlsplit
send = requests.Session.send
def redirected(session, request, **options):
    request.url = os.environ["ANSWERS"] + urlsplit(request.url).path
    return send(session, request, **options)
requests.Session.send = redirected
"""


class Index(ThreadingHTTPServer):
    """A fake index. It answers for each named package with (status, body), else with no finding."""

    def __init__(self, answers: dict[str, tuple[int, str]]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = answers
        self.asked: list[str] = []


class Handler(BaseHTTPRequestHandler):
    server: Index

    def do_GET(self) -> None:
        _, _, name, version, _ = self.path.split("/")
        self.server.asked.append(f"{name}=={version}")
        status, body = self.server.answers.get(name, (200, json.dumps(HARMLESS)))
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def index(**answers: tuple[int, str]) -> Iterator[Index]:
    with Index(answers) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "sitecustomize.py").write_text(REDIRECTION)
    caches = {"PIP_NO_CACHE_DIR": "1", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    return {"PYTHONPATH": str(tmp_path), "NO_PROXY": "127.0.0.1", **caches}


def audit(
    project: Path, server: Index, settings: dict[str, str], *options: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [".venv/bin/python", "scripts/audit.py", *options],
        cwd=project,
        env=environment(**settings, ANSWERS=f"http://127.0.0.1:{server.server_port}"),
        capture_output=True,
        text=True,
        check=False,
    )


def only_sentence(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 1, result.stdout
    [line] = result.stderr.splitlines()
    assert result.stdout == ""
    return line


def test_every_locked_package_is_audited(copy: Path, settings: dict[str, str]) -> None:
    lock = (copy / "requirements/runtime.txt").read_text()
    locked = [line.split()[0] for line in lock.splitlines() if "==" in line.split("--hash")[0]]
    with index() as server:
        said = make(copy, "audit", **settings, ANSWERS=f"http://127.0.0.1:{server.server_port}")
    assert said == f"{len(locked)} locked packages, no known vulnerability.\n"
    assert sorted(server.asked) == sorted(locked)
    # Also packages for other Pythons and platforms, which pip-audit itself leaves out.
    assert any(" ; " in line for line in lock.splitlines())


def test_a_vulnerable_package_fails_the_audit(copy: Path, settings: dict[str, str]) -> None:
    with index(flask=(200, json.dumps({"vulnerabilities": [ADVISORY]}))) as server:
        sentence = only_sentence(audit(copy, server, settings))
        accepted = audit(copy, server, settings, "--ignore-vuln", "PYSEC-2023-62")
    assert sentence.startswith("Vulnerable: flask==")
    assert "PYSEC-2023-62, CVE-2023-30861" in sentence
    assert sentence.endswith("; fixed in 2.2.5 or 2.3.2.")
    assert accepted.returncode == 0, accepted.stderr


def test_one_that_was_withdrawn_does_not(copy: Path, settings: dict[str, str]) -> None:
    withdrawn = ADVISORY | {"withdrawn": "2023-06-01T00:00:00Z"}
    with index(flask=(200, json.dumps({"vulnerabilities": [withdrawn]}))) as server:
        result = audit(copy, server, settings)
    assert result.returncode == 0, result.stderr


def test_a_skipped_package_fails_the_audit(copy: Path, settings: dict[str, str]) -> None:
    with index(flask=(404, json.dumps({"message": "Not Found"}))) as server:
        sentence = only_sentence(audit(copy, server, settings))
    assert sentence.startswith("Not audited: flask==")
    assert "Dependency not found on PyPI" in sentence


def test_a_package_that_is_not_pinned_fails_the_audit(copy: Path, settings: dict[str, str]) -> None:
    lock = copy / "requirements/runtime.txt"
    lock.write_text(lock.read_text() + "mine @ https://example.org/mine-1.0.tar.gz\n")
    with index() as server:
        sentence = only_sentence(audit(copy, server, settings))
    assert sentence.startswith("Not audited: mine @ https://example.org/mine-1.0.tar.gz: ")


@pytest.mark.parametrize("answer", [(503, ""), (500, "{}"), (200, "<html>Sign in</html>")])
def test_a_service_without_an_answer_fails_the_audit(
    answer: tuple[int, str], copy: Path, settings: dict[str, str]
) -> None:
    with index(flask=answer) as server:
        sentence = only_sentence(audit(copy, server, settings))
    assert "The advisory service does not answer: " in sentence


def test_a_service_that_is_not_reached_fails_the_audit(
    copy: Path, settings: dict[str, str]
) -> None:
    with index() as server:
        pass
    sentence = only_sentence(audit(copy, server, settings))
    assert "The advisory service does not answer: " in sentence
    assert "Connection refused" in sentence


def test_an_empty_lock_fails_the_audit(copy: Path, settings: dict[str, str]) -> None:
    (copy / "requirements/runtime.txt").write_text("")
    with index() as server:
        sentence = only_sentence(audit(copy, server, settings))
    assert sentence.endswith("runtime.txt locks nothing.")


UNSAFE = {
    "S105": 'PASSWORD = "correct horse"\n',
    "S106": 'CONNECTION = dict(password="correct horse")\n',
    "S307": "eval(input())\n",
    "S102": "exec(input())\n",
    "S602": "import subprocess\n\nsubprocess.run(input(), shell=True, check=True)\n",
    "S301": "import pickle\n\npickle.loads(input().encode())\n",
    "S324": "import hashlib\n\nhashlib.md5(b'')\n",
    "S501": "import requests\n\nrequests.get('https://example.org', verify=False, timeout=1)\n",
    "S608": 'STATEMENT = "SELECT * FROM users WHERE name = \'" + input() + "\'"\n',
}


@pytest.mark.parametrize("rule", UNSAFE)
def test_what_is_unsafe_in_the_code_fails_the_check(rule: str, copy: Path) -> None:
    (copy / "src/planted.py").write_text(UNSAFE[rule])
    result = subprocess.run(
        ["make", "check"], cwd=copy, env=environment(), capture_output=True, text=True, check=False
    )
    assert result.returncode != 0
    assert f"{rule} " in result.stdout
    assert "src/planted.py" in result.stdout
    # The linter ended `make check`, and no later step ran.
    assert "ruff format" not in result.stdout

"""The image and compose.yaml of a generated project work on a real Docker engine."""

import http.client
import json
import os
import re
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Event
from urllib.request import urlopen
from uuid import uuid4

import pytest
from conftest import Report, bake_into, environment

from proofs.harness.processes import free_port

BASE = "python:3.13-slim"
NGINX = "nginx:1.29-alpine"
# Without a registry, an image with the same program from the distribution's packages.
NGINX_STAND_IN = """\
FROM debian:trixie-slim
RUN apt-get update && apt-get install --yes --no-install-recommends nginx-light
CMD ["nginx", "-g", "daemon off;"]
"""
MEGABYTES = 1_000_000
SIZE_OVER_BASE = 150
START_SECONDS = 20.0
CLIENTS = 8
# Settings of a container without a database: every attempt to connect fails at once.
ALONE = [
    "--env=DATABASE_URL=postgresql://postgres@127.0.0.1:1/postgres",
    "--env=SECRET_KEY=of-the-tests-and-of-nothing-else",
]

pytestmark = [pytest.mark.usefixtures("engine"), pytest.mark.long, pytest.mark.alone]


def docker(
    *arguments: str, check: bool = True, stdin: str | None = None, seconds: float = 120
) -> str:
    result = subprocess.run(
        ["docker", *arguments],
        check=False,
        capture_output=True,
        input=stdin,
        text=True,
        timeout=seconds,
    )
    assert not check or result.returncode == 0, f"docker {' '.join(arguments)}\n{result.stderr}"
    return result.stdout.strip()


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.2)


def wait_until_healthy(identity: str) -> None:
    health = ["inspect", "--format={{.State.Health.Status}}", identity]
    wait_until(lambda: docker(*health) == "healthy", 60, "the health check says healthy")


@dataclass(frozen=True)
class Stack:
    """A project and its containers. The folder's name is the prefix of all names in Docker."""

    folder: Path
    port: int = field(default_factory=free_port)
    dev_port: int = field(default_factory=free_port)

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def image(self) -> str:
        return f"{self.name}-service"

    def run(
        self, *command: str, seconds: float = 300, more: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        variables = {"PORT": self.port, "DEV_PORT": self.dev_port, "REPLICAS": 2, **(more or {})}
        return subprocess.run(
            command,
            cwd=self.folder,
            env=environment(**{name: str(value) for name, value in variables.items()}),
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
        )

    def compose(self, *arguments: str, **variables: str) -> str:
        result = self.run("docker", "compose", *arguments, more=variables)
        assert result.returncode == 0, f"compose {' '.join(arguments)}\n{result.stdout}"
        return result.stdout.strip()

    def up(self) -> None:
        self.compose("up", "--detach", "--wait")

    def sql(self, statement: str) -> list[str]:
        psql = ["psql", "--username=postgres", "--no-align", "--tuples-only", "--command"]
        return self.compose("exec", "-T", "db", *psql, statement).splitlines()

    @cached_property
    def headers(self) -> dict[str, str]:
        """Return the headers of a caller who may change todos."""
        token = self.compose("exec", "-T", "api", "python", "manage.py", "token")
        return {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}

    @property
    def path(self) -> str:
        return f"/{self.name}/v1/todos"

    def remove(self) -> None:
        profiles = [f"--profile={name}" for name in ("test", "watch", "dev")]
        self.run("docker", "compose", *profiles, "down", "--volumes", "--timeout=5")
        label = f"label=org.opencontainers.image.title={self.name}"
        for image in set(docker("images", "--quiet", "--filter", label).split()):
            docker("image", "rm", "--force", image, check=False)


@pytest.fixture(scope="session")
def nginx(engine: None) -> Iterator[None]:  # noqa: ARG001
    have = ["docker", "image", "inspect", NGINX]
    pull = ["docker", "pull", "--quiet", NGINX]
    for command in (have, pull):
        with suppress(subprocess.SubprocessError):
            subprocess.run(command, check=True, capture_output=True, timeout=120)
            yield
            return
    docker("build", "--tag", NGINX, "-", stdin=NGINX_STAND_IN)
    yield
    docker("image", "rm", "--force", NGINX, check=False)


@pytest.fixture(scope="session")
def stack(
    nginx: None,  # noqa: ARG001  # Made before the stack, so that it is removed after the stack's containers.
    template: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    slug = f"containers_{uuid4().hex[:8]}"
    folder = bake_into(tmp_path_factory.mktemp("containers"), template, project_slug=slug)
    stack = Stack(folder)
    try:
        stack.compose("--profile=test", "build", "--quiet", "migrate", "tests")
        yield stack
    finally:
        stack.remove()


@pytest.fixture
def running(stack: Stack) -> Stack:
    stack.up()
    return stack


@contextmanager
def container(*arguments: str) -> Iterator[str]:
    identity = docker("run", "--detach", "--publish=127.0.0.1::8000", *arguments)
    try:
        yield identity
    finally:
        docker("rm", "--force", "--volumes", identity, check=False)


def is_alive(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/health/live", timeout=1) as answer:
            return bool(answer.status == 200)
    except (OSError, http.client.HTTPException):
        return False


def test_the_image_is_small_and_its_user_is_nobody(stack: Stack, report: Report) -> None:
    size, base = (
        int(docker("image", "inspect", "--format={{.Size}}", name)) for name in (stack.image, BASE)
    )
    over = (size - base) / MEGABYTES
    report.append(f"image: {over:.0f} MB over {BASE}")
    assert 0 < over <= SIZE_OVER_BASE
    config = json.loads(docker("image", "inspect", "--format={{json .Config}}", stack.image))
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", config["User"])
    assert config["Cmd"] == ["python", "manage.py", "serve"]
    assert config["Healthcheck"]["Test"][:2] == ["CMD", "python"]


def test_the_image_has_what_runs_and_nothing_else(stack: Stack) -> None:
    entries = docker("run", "--rm", stack.image, "find", "/app", "-maxdepth", "1").split()
    assert sorted(Path(entry).name for entry in entries[1:]) == [
        "__pycache__",
        "chassis",
        "manage.py",
        "migrations",
        "pyproject.toml",
        "src",
        "wsgi.py",
    ]
    script = r"""
        for name in gcc cc c++ make pg_config git curl; do command -v "$name"; done
        find / -xdev \( -name Python.h -o -name libpq-fe.h -o -name .git -o -name .env \
            -o -path '*/.cache/pip' -o -path /venv/\*/site-packages/pip \
            -o -path '/var/cache/apt/archives/*.deb' -o -path '/var/lib/apt/lists/*Packages*' \
            -o -path '/venv/*/unittest' -o -path /app/tests \
            -o -path /app/chassis/development \) 2>/dev/null
        find /app /venv -user 10001 -o -perm -o+w ! -type l
        true
    """
    assert docker("run", "--rm", stack.image, "sh", "-c", script) == ""


def test_the_image_starts_on_a_read_only_file_system_and_stops(
    stack: Stack, report: Report
) -> None:
    start = time.monotonic()
    with container("--read-only", "--cap-drop=ALL", *ALONE, stack.image) as identity:
        port = int(docker("port", identity, "8000/tcp").rpartition(":")[2])
        wait_until(lambda: is_alive(port), START_SECONDS, "/health/live answers")
        started = time.monotonic() - start
        wait_until_healthy(identity)
        docker("stop", "--time=30", identity)
        assert docker("inspect", "--format={{.State.ExitCode}}", identity) == "0"
    report.append(f"image: answers {started:.1f} s after docker run")


def test_the_health_check_fails_where_the_service_does_not_answer(stack: Stack) -> None:
    test = json.loads(
        docker("image", "inspect", "--format={{json .Config.Healthcheck.Test}}", stack.image)
    )
    result = subprocess.run(
        ["docker", "run", "--rm", stack.image, *test[1:]],
        check=False,
        capture_output=True,
        timeout=60,
    )
    assert result.returncode == 1


def test_a_missing_env_file_is_a_sentence(stack: Stack) -> None:
    result = stack.run("docker", "compose", "--env-file", os.devnull, "config", "--quiet")
    assert result.returncode != 0
    assert re.search(r"(_PASSWORD|SECRET_KEY).* is not set; .*create_env\.py", result.stdout)


def test_compose_starts_everything_and_a_post_through_nginx_gives_201(running: Stack) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", running.port, timeout=30)) as client:
        post_and_read(client, running)
    assert "Add a resource" in running.sql("SELECT title FROM todos")
    settings = running.compose("exec", "-T", "api", "python", "manage.py", "config")
    assert "ENVIRONMENT=development  (environment)" in settings


def test_the_pipeline_asks_the_containers(running: Stack) -> None:
    asked = running.run("scripts/try_containers.sh")
    assert asked.returncode == 0, asked.stdout
    assert "Try todos" in running.sql("SELECT title FROM todos")
    body = json.dumps({"title": ""})
    script = running.folder / "scripts/try_containers.sh"
    script.write_text(script.read_text().replace('{"title": "Try todos"}', body))
    assert running.run("scripts/try_containers.sh").returncode == 22


def post_and_read(client: http.client.HTTPConnection, stack: Stack) -> None:
    body = json.dumps({"title": "Try it"})
    client.request("POST", stack.path, body, stack.headers | {"X-Request-ID": "mine-1"})
    answer = client.getresponse()
    assert (answer.status, answer.headers["X-Request-ID"]) == (201, "mine-1"), answer.read()
    location = answer.headers["Location"]
    answer.read()
    client.request("GET", location)
    answer = client.getresponse()
    assert (answer.status, json.load(answer)["title"]) == (200, "Try it")
    client.request("POST", stack.path, "x" * 2_000_000, stack.headers)
    answer = client.getresponse()
    assert answer.status == 413
    answer.read()


@dataclass(frozen=True)
class Ledger:
    """Records requests and their responses."""

    answers: Counter[str] = field(default_factory=Counter)
    created: list[str] = field(default_factory=list)

    def load(self, client_number: int, stack: Stack, stop: Event) -> None:
        number = 0
        client = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=60)
        with closing(client):
            while not stop.is_set():
                number += 1
                title = f"load-{client_number}-{number}"
                try:
                    client.request("POST", stack.path, json.dumps({"title": title}), stack.headers)
                    if self.note("POST", client.getresponse()) == 201:
                        self.created.append(title)
                    client.request("GET", f"{stack.path}?limit=1")
                    self.note("GET", client.getresponse())
                except (OSError, http.client.HTTPException) as error:
                    self.answers[repr(error)] += 1
                    client.close()

    def note(self, method: str, answer: http.client.HTTPResponse) -> int:
        body = answer.read()
        said = "" if answer.status < 300 else f": {body[:300]!r}"
        self.answers[f"{method} {answer.status}{said}"] += 1
        return answer.status


@contextmanager
def load(stack: Stack) -> Iterator[Ledger]:
    ledger, stop = Ledger(), Event()
    with ThreadPoolExecutor(CLIENTS) as clients:
        runs = [clients.submit(ledger.load, number, stack, stop) for number in range(CLIENTS)]
        try:
            wait_until(lambda: len(ledger.created) > CLIENTS, 30, f"answers: {ledger.answers}")
            yield ledger
        finally:
            stop.set()
    for run in runs:
        run.result()


CONTRACT = '''"""Note when this was applied."""

from alembic import op

revision = "0002"
down_revision = "0001"
maintenance = "none"
phase = "contract"


def upgrade() -> None:
    op.execute("CREATE TABLE contracted AS SELECT clock_timestamp() AS at")


def downgrade() -> None:
    op.execute("DROP TABLE contracted")
'''


@contextmanager
def contract_revision(stack: Stack) -> Iterator[None]:
    path = stack.folder / "migrations/versions/0002_contract.py"
    path.write_text(CONTRACT)
    try:
        yield
        migrate = ["run", "--rm", "migrate", "python", "manage.py", "db"]
        stack.compose(*migrate, "downgrade", "--yes")
    finally:
        path.unlink()


def test_a_rolling_update_under_load_loses_no_request(running: Stack, report: Report) -> None:
    before = set(running.compose("ps", "--quiet", "api").split())
    with contract_revision(running), load(running) as ledger:
        for identity in before:  # Restart the same containers one after the other.
            docker("restart", identity)
            wait_until_healthy(identity)
        result = running.run("scripts/rolling_update.sh")
        new = running.compose("ps", "--quiet", "api").split()
        starts = [docker("inspect", "--format={{.State.StartedAt}}", one) for one in new]
        [at] = running.sql("SELECT at AT TIME ZONE 'UTC' FROM contracted")
        assert at.replace(" ", "T") > max(starts), "Old code met what only new code can do without."
        assert result.returncode == 0, result.stdout
        served = sum(ledger.answers.values())
        wait_until(lambda: sum(ledger.answers.values()) > served + 100, 30, "the new ones answer")
    after = set(running.compose("ps", "--quiet", "api").split())
    report.append(f"rolling restart and update: {dict(sorted(ledger.answers.items()))}")
    assert len(before) == len(after) == 2
    assert not before & after
    assert set(ledger.answers) == {"POST 201", "GET 200"}
    # Each acknowledged todo exists once, and there is no other.
    stored = running.sql("SELECT title FROM todos WHERE title LIKE 'load-%'")
    assert sorted(stored) == sorted(ledger.created)
    codes = {
        docker("inspect", "--format={{.RestartCount}} {{.State.OOMKilled}}", identity)
        for identity in after
    }
    assert codes == {"0 false"}


def test_where_one_host_is_trusted_replicas_are_healthy_and_can_be_updated(stack: Stack) -> None:
    trusted = {"TRUSTED_HOSTS": "api.example.org"}
    stack.compose("up", "--detach", "--wait", **trusted)
    before = set(stack.compose("ps", "--quiet", "api").split())
    for identity in before:
        wait_until_healthy(identity)
    result = stack.run("scripts/rolling_update.sh", more=trusted)
    assert result.returncode == 0, result.stdout
    after = set(stack.compose("ps", "--quiet", "api").split())
    assert len(after) == 2
    assert not before & after
    for host, status in {"api.example.org": 200, "evil.example.org": 400}.items():
        request = f"GET {stack.path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        assert spoken(stack.port, request)[0] == status
    stack.up()


# The server answers with the head of the request.
ECHO = """
import socket, threading

def answer(client):
    head = b""
    while b"\\r\\n\\r\\n" not in head:
        head += client.recv(65536)
    head = head.partition(b"\\r\\n\\r\\n")[0]
    client.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\n" + head)
    client.close()

server = socket.create_server(("0.0.0.0", 8000))
while True:
    threading.Thread(target=answer, args=[server.accept()[0]]).start()
"""
HEAD = "HTTP/1.1\r\nConnection: close\r\nHost: ours\r\n"
FORGED = "X_Forwarded_For: 192.0.2.1\r\nX-Forwarded_For: 192.0.2.1\r\nX_Forwarded_Proto: https\r\n"


def answered(port: int, request: str) -> tuple[str, str]:
    """Send bytes; return the head and the body of the response."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(request.encode("latin-1"))
        while part := client.recv(65536):
            answer += part
    head, _, body = answer.decode("latin-1").partition("\r\n\r\n")
    return head, body


def spoken(port: int, request: str) -> tuple[int, str]:
    """Send bytes; return the status and the body of the response."""
    head, body = answered(port, request)
    return int(head.split()[1]), body


@pytest.fixture
def echo(stack: Stack) -> Iterator[Stack]:
    """Run the project's nginx before a server that returns each request that arrives."""
    api = {"command": ["python", "-c", ECHO], "scale": 1}
    (stack.folder / "echo.json").write_text(json.dumps({"services": {"api": api}}))
    files = ["--file=compose.yaml", "--file=echo.json"]
    stack.compose("rm", "--stop", "--force", "nginx", "api")
    stack.compose(*files, "up", "--detach", "--no-deps", "--wait", "api", "nginx", REPLICAS="1")
    yield stack
    stack.compose("rm", "--stop", "--force", "nginx", "api")


def test_nginx_settles_what_the_server_would_read_in_another_way(echo: Stack) -> None:
    for forged in (FORGED, "X_FORWARDED_FOR: 192.0.2.1\r\n", "x-Forwarded-For: 192.0.2.1\r\n"):
        status, head = spoken(echo.port, f"GET / {HEAD}{forged}\r\n")
        assert status == 200
        assert "192.0.2.1" not in head
        assert "_forwarded" not in head.lower()
        assert re.search("^X-Forwarded-For: [0-9.]+\r?$", head, re.MULTILINE)

    types = "Content-Type: application/json\r\nContent-Type: text/plain\r\n"
    _, head = spoken(echo.port, f"POST / {HEAD}{types}Content-Length: 0\r\n\r\n")
    assert re.findall("(?i)^content-type: (.*)\r?$", head, re.MULTILINE) == [
        "application/json, text/plain\r"
    ]

    for target in ("http://theirs", "http://theirs/x?y", "HTTPS://theirs/", "http://theirs:81/"):
        _, head = spoken(echo.port, f"GET {target} {HEAD}\r\n")
        [host] = re.findall("^Host: (.*)\r$", head, re.MULTILINE)
        assert host == ("theirs:81" if "81" in target else "theirs")

    for path in ("/a%2Fb", "/a%2fb?x", "/a/..%2fmetrics", "/..%2fx", "/a%5Cb", "/%2F"):
        assert spoken(echo.port, f"GET {path} {HEAD}\r\n")[0] in {400, 404}, path
    assert spoken(echo.port, f"GET /a?b=%2F {HEAD}\r\n")[0] == 200
    for path in ("/metrics", "//metrics", "/x/../metrics", "/./metrics?x", "/%6detrics"):
        assert spoken(echo.port, f"GET {path} {HEAD}\r\n")[0] == 404, path

    for _ in range(20):  # A client that ends its sending side.
        with socket.create_connection(("127.0.0.1", echo.port), timeout=10) as client:
            client.sendall(f"GET / {HEAD}\r\n".encode())
            client.shutdown(socket.SHUT_WR)
            assert client.recv(65536).startswith(b"HTTP/1.1 200")

    for request in (
        f"get / {HEAD}\r\n",
        f"GET / {HEAD}Host: theirs\r\n\r\n",
        f"POST / {HEAD}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
        f"POST / {HEAD}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    ):
        assert spoken(echo.port, request)[0] in {400, 501}, request


def require_own_problem(port: int, request: str, status: int, *about: str) -> None:
    """Require a problem of nginx's own; `about` are its kind, and possibly its path and id."""
    head, body = answered(port, request)
    problem = json.loads(body)
    assert problem.keys() == set("type title status detail instance request_id".split())
    assert (int(head.split()[1]), problem["status"]) == (status, status), request[:60]
    found = (problem["type"], problem["instance"], problem["request_id"])
    assert found[: len(about)] == about, request[:60]
    assert re.findall("(?m)^X-Request-ID: ([^\r]+)", head) == [problem["request_id"]], request[:60]
    assert "\r\nContent-Type: application/problem+json" in head, request[:60]


def test_nginxs_own_errors_are_problems(echo: Stack) -> None:
    many = "".join(f"X-{n}: {'a' * 7000}\r\n" for n in range(6))
    mine, forged = "X-Request-ID: mine-1\r\n", 'X-Request-ID: a"b\r\n'
    for request, status, *about in (
        (f"GET /metrics {HEAD}{mine}\r\n", 404, "not-found", "/metrics", "mine-1"),
        (f'GET /metrics?x="y {HEAD}{forged}\r\n', 404, "not-found", "/metrics"),
        (f"GET /a%2Fb {HEAD}\r\n", 404, "not-found", "/"),
        (f'GET /x"/../metrics {HEAD}\r\n', 404, "not-found", "/"),
        (f"GET /x\\/../metrics {HEAD}\r\n", 404, "not-found", "/"),
        (f"GET /\xe9/../metrics {HEAD}\r\n", 404, "not-found", "/"),
        (f"GET /_413 {HEAD}\r\n", 404, "not-found", "/_413"),
        (f"GET /a/..%2f_413 {HEAD}\r\n", 404, "not-found", "/"),
        (f"GET / {HEAD}{many}\r\n", 400, "invalid-header", "/"),
        (f"GET /a%2Fb {HEAD}{many}\r\n", 400, "invalid-header", "/"),
        (f"TRACE /x {HEAD}\r\n", 405, "method-not-allowed", "/x"),
        (f"GET /{'a' * 9000} {HEAD}\r\n", 414, "refused", "/"),
        (f"POST /x {HEAD}Content-Length: 1000001\r\n\r\n", 413, "payload-too-large", "/x"),
        (f"GET / {HEAD}Transfer-Encoding: gzip, chunked\r\n\r\n", 501, "internal", "/"),
        ("GET /x HTTP/3.0\r\n\r\n", 505, "internal", "/"),
    ):
        require_own_problem(echo.port, request, status, *about)
    echo.compose("stop", "api")
    require_own_problem(echo.port, f"GET /x {HEAD}\r\n", 502, "unavailable", "/x")


def test_the_test_profile_ends_with_the_status_of_the_tests(stack: Stack, report: Report) -> None:
    profile = ["docker", "compose", "--profile=test", "up", "--exit-code-from=tests"]
    start = time.monotonic()
    result = stack.run(*profile)
    assert result.returncode == 0, result.stdout
    found = re.search(r"Ran (\d+) tests", result.stdout)
    assert found, result.stdout
    assert "TEST_DATABASE_URL" in result.stdout
    assert not re.search(r"OK \(skipped|FAILED", result.stdout)
    report.append(f"test profile: {found[0]}, {time.monotonic() - start:.0f} s in all")

    broken = break_a_test(stack)
    try:
        result = stack.run(*profile)
    finally:
        broken.unlink()
    assert result.returncode == 1, result.stdout
    assert "on purpose" in result.stdout


def test_the_tests_and_the_service_follow_each_change(stack: Stack) -> None:
    stack.compose("up", "--detach", "watch", "dev")
    try:
        wait_until(lambda: "OK" in logs(stack, "watch"), 90, "the tests ran")
        wait_until(lambda: is_alive(stack.dev_port), 60, "the service answers")
        controller = stack.folder / "chassis/operations/health.py"
        code = controller.read_text()
        controller.write_text(code.replace('{"status": "ok"}', '{"status": "new"}'))
        try:
            wait_until(lambda: '"new"' in liveness(stack.dev_port), 60, "the new code answers")
        finally:
            controller.write_text(code)
        broken = break_a_test(stack)
        try:
            wait_until(lambda: "on purpose" in logs(stack, "watch"), 90, "the tests ran again")
        finally:
            broken.unlink()
    finally:
        stack.compose("--profile=watch", "--profile=dev", "stop", "--timeout=5", "watch", "dev")


def break_a_test(stack: Stack) -> Path:
    broken = stack.folder / "tests/unit/test_broken.py"
    broken.write_text(
        "import unittest\n\n\nclass Broken(unittest.TestCase):\n"
        "    def test_it(self) -> None:\n        self.fail('on purpose')\n"
    )
    return broken


def logs(stack: Stack, service: str) -> str:
    return stack.compose("logs", "--no-log-prefix", "--no-color", service)


def liveness(port: int) -> str:
    try:
        with urlopen(f"http://127.0.0.1:{port}/health/live", timeout=1) as answer:
            return str(answer.read())
    except (OSError, http.client.HTTPException):
        return ""

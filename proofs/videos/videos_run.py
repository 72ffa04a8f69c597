"""Starts the servers and asks them for proofs.videos; runs with the Python of the project."""

import json
import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from hashlib import sha256
from http.client import HTTPConnection
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from proofs.brokers import find_broker
from proofs.harness.processes import Processes, Running, free_port, run_main

MIDDLE, LONG = 20_000_000, 50_000_000
MOST_GROWTH = 10_000_000  # Bytes that a process takes more for the long content.
START_SECONDS, JOB_SECONDS = 90, 60
PAGE = b"<!DOCTYPE html><script>alert(1)</script>"


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def store_code(self) -> str:
        """Return the error code of the store's response; empty without one."""
        found = re.search(rb"<Code>(\w+)</Code>", self.body)
        return found[1].decode() if found else ""


def ask(method: str, url: str, body: Any = None, **headers: str) -> Answer:
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=120)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, url.partition(parts.netloc)[2], body, named)
        answer = connection.getresponse()
        kept = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, kept, answer.read())
    finally:
        connection.close()


def require(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise AssertionError(f"{what}: {found!r}, not {expected!r}")
    print(f"  {what}: {found}", flush=True)


def peak(running: Running) -> int:
    """Return the peak memory of the process and its descendants so far, in bytes."""
    total, waiting = 0, [running.process.pid]
    while waiting:
        pid = waiting.pop()
        status = Path(f"/proc/{pid}/status").read_text()
        total += 1024 * int(re.findall(r"VmHWM:\s+(\d+)", status)[0])
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            waiting += map(int, children.read_text().split())
    return total


class Client:
    """A client of one server, with a person's token."""

    def __init__(self, address: str, token: str) -> None:
        self.address = address
        self._headers = {"Authorization": f"Bearer {token}", "Content_Type": "application/json"}

    def call(self, method: str, path: str, body: Any = None) -> Answer:
        sent = json.dumps(body) if body is not None else None
        return ask(method, f"{self.address}{path}", sent, **self._headers)

    def announce(self, content: bytes, **other: Any) -> Answer:
        about = {"name": "a.mp4", "media_type": "video/mp4", "size": len(content)}
        about["sha256"] = sha256(content).hexdigest()
        return self.call("POST", "/api/v1/files", about | other)

    def send(self, file_id: str, content: bytes, **changed: str) -> Answer:
        """Send the content to the store with its upload form, as a browser does."""
        encode = import_module("urllib3.filepost").encode_multipart_formdata
        form = self.call("GET", f"/api/v1/files/{file_id}/upload").json
        body, kind = encode({**form["fields"], **changed, "file": ("a", content)})
        return ask("POST", form["url"], body, Content_Type=kind)

    def put(self, file_id: str, content: bytes) -> Answer:
        """Send the content through the API."""
        url = f"{self.address}/api/v1/files/{file_id}/content"
        return ask("PUT", url, content, Authorization=self._headers["Authorization"])

    def complete(self, file_id: str) -> Answer:
        return self.call("POST", f"/api/v1/files/{file_id}/complete")

    def content(self, file_id: str) -> bytes:
        where = self.call("GET", f"/api/v1/files/{file_id}/content").headers["location"]
        return ask("GET", where).body

    def process(self, file_id: str) -> tuple[Answer, dict[str, Any], Any]:
        """Process a video; return the response to the request, the finished job and the video."""
        made = self.call("POST", "/api/v1/videos", {"title": "Tea", "file_id": file_id}).json
        accepted = self.call("POST", f"/api/v1/videos/{made['id']}/process")
        where = urlsplit(accepted.headers["location"]).path
        deadline = time.monotonic() + JOB_SECONDS
        while (job := self.call("GET", where).json)["state"] in {"queued", "running"}:
            if time.monotonic() > deadline:
                raise AssertionError(f"The job is still {job['state']} after {JOB_SECONDS} s.")
            time.sleep(0.1)
        return accepted, job, self.call("GET", f"/api/v2/videos/{made['id']}").json


def show_processing(client: Client, content: bytes) -> None:
    file_id = client.announce(content).json["id"]
    require("the form is taken by the store", client.send(file_id, content).status, 204)
    require("the check", client.complete(file_id).json["state"], "ready")
    accepted, job, video = client.process(file_id)
    require("processing is accepted", accepted.status, 202)
    require("at", bool(re.search(r"/jobs/[0-9a-f-]{36}$", accepted.headers["location"])), True)
    found = job["task"], job["state"], job["result"]
    require("its job", found, ("process.file", "done", {"milliseconds": 1500}))
    require("the video", video["milliseconds"], 1500)


def show_refusals(client: Client, content: bytes, most_bytes: int) -> None:
    other = content[:-1] + bytes([content[-1] ^ 1])
    status = client.announce(PAGE, media_type="text/html").status
    require("a wrong type, announced", status, 422)
    status = client.announce(content, size=most_bytes + 1).status
    require("an oversized file, announced", status, 422)
    file_id = client.announce(content).json["id"]
    wrong = client.send(file_id, content, **{"Content-Type": "text/html"})
    require(
        "a wrong type, sent: the store", (wrong.status, wrong.store_code), (403, "AccessDenied")
    )
    large = client.send(file_id, content + b"x")
    require(
        "an oversized file: the store", (large.status, large.store_code), (400, "EntityTooLarge")
    )
    changed = client.send(file_id, other)
    require("another content: the store", (changed.status, changed.store_code), (400, "BadDigest"))
    lie = client.announce(PAGE).json["id"]
    require("a lie about the type is no lie to the store", client.send(lie, PAGE).status, 204)
    checked = client.complete(lie)
    pointer = checked.json["errors"][0]["pointer"]
    require("a lie about the type: the check", (checked.status, pointer), (422, "/media_type"))


def show_that_it_stays(client: Client, content: bytes) -> None:
    """Show that an upload form that is still valid after the check cannot change the file."""
    encode = import_module("urllib3.filepost").encode_multipart_formdata
    other = content[:-1] + bytes([content[-1] ^ 1])
    file_id = client.announce(content).json["id"]
    form = client.call("GET", f"/api/v1/files/{file_id}/upload").json

    def send(what: bytes) -> Answer:
        body, kind = encode({**form["fields"], "file": ("a", what)})
        return ask("POST", form["url"], body, Content_Type=kind)

    send(content)
    client.complete(file_id)
    require("a changed file after the check: the store", send(other).store_code, "BadDigest")
    require("nor does the same form write what is kept", send(content).status, 204)
    require("so what was checked is downloaded", client.content(file_id) == content, True)


def show_flat_memory(
    client: Client, shorter: bytes, content: bytes, processes: dict[str, Running]
) -> None:
    first = client.announce(shorter).json["id"]
    require("20 MB through the API", client.put(first, shorter).json["state"], "ready")
    client.process(first)
    before = {name: peak(running) for name, running in processes.items()}
    by_form = client.announce(content).json["id"]
    require("50 MB by the form", client.send(by_form, content).status, 204)
    require("checked", client.complete(by_form).json["state"], "ready")
    through = client.announce(content).json["id"]
    require("50 MB through the API", client.put(through, content).json["state"], "ready")
    _, job, _ = client.process(through)
    require("processed by the worker", job["result"], {"milliseconds": 1500})
    for name, running in processes.items():
        grown = peak(running) - before[name]
        print(f"  {name}: {before[name] / 1e6:.0f} MB at most, then {grown / 1e6:+.1f}", flush=True)
        if grown > MOST_GROWTH:
            raise AssertionError(f"{name} took {grown} bytes more.")


class Scene:
    """The running processes: broker, store, database, relay, worker and servers."""

    def __init__(self, project: Path, stack: ExitStack) -> None:
        broker = find_broker()
        if broker is None:
            raise SystemExit("Not run: there is neither Docker's RabbitMQ nor Debian's.")
        stack.callback(broker.remove)
        embedded = import_module("chassis.postgres.embedded")
        url = embedded.start_embedded_postgres(project / ".postgres")
        import_module("chassis.migrations.commands").Migrations(url).upgrade()
        store = import_module("chassis.development.testing.s3_server").s3_server()
        print(f"RabbitMQ {broker.version}; S3 at {store.endpoint}", flush=True)
        settings = {name.upper(): str(value) for name, value in store.settings.items()}
        self._env = {
            **os.environ,
            **settings,
            "S3_BUCKET": "videos",
            "DATABASE_URL": url,
            "BROKER_URL": broker.url,
            "ENVIRONMENT": "development",
            "SECRET_KEY": "of-the-proof-of-videos-and-of-no-other",
            "JOB_PROCESSES": "1",
            "LOG_LEVEL": "WARNING",
        }
        self._project = project
        self._processes = Processes()
        stack.callback(self._processes.close)
        self.run("manage.py", "files", "prepare").expect()
        self.worker = self.run("manage.py", "worker")
        self.run("manage.py", "relay")

    def run(self, *command: str) -> Running:
        return self._processes.start([sys.executable, *command], cwd=self._project, env=self._env)

    def token(self) -> str:
        return str(self.run("manage.py", "token").expect().output.split()[-1])

    def servers(self) -> Iterator[tuple[str, str, Running]]:
        """Start one server after the other; yield its name, address and process while it runs."""
        for name, command in {
            "granian": ["manage.py", "serve", "--port", "PORT"],
            "gunicorn": ["-m", "gunicorn", "--threads=8", "--bind=127.0.0.1:PORT", "wsgi:app"],
        }.items():
            port = str(free_port())
            server = self.run(*(word.replace("PORT", port) for word in command))
            address = f"http://127.0.0.1:{port}"
            wait_for(f"{address}/health/ready", server)
            yield name, address, server
            self._processes.end(server)


def wait_for(url: str, server: Running) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            if ask("GET", url).status == 200:
                return
        except OSError:
            pass
        if server.process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(f"{url} did not answer:\n{server.output}")
        time.sleep(0.1)


def prove(project: Path) -> None:
    contents = import_module("tests.api.contents")
    short, middle, long = (contents.mp4(1500, pictures=size) for size in (100, MIDDLE, LONG))
    with ExitStack() as stack:
        scene = Scene(project, stack)
        token = scene.token()
        for name, address, server in scene.servers():
            print(name, flush=True)
            client = Client(address, token)
            show_processing(client, short)
            show_refusals(client, short, 100_000_000)
            show_that_it_stays(client, short)
            show_flat_memory(client, middle, long, {name: server, "worker": scene.worker})
    print("proved")


def main() -> int:
    place = Path(sys.argv[1])
    sys.path.insert(0, str(place))
    os.chdir(place)
    import_module("src")  # Hands the project to the chassis.
    prove(place)
    return 0


if __name__ == "__main__":
    run_main(main)

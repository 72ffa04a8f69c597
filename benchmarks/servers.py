"""Starts and ends the servers of the applications."""

import http.client
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.contestants import APPLICATIONS, THREADS, Contestant
from benchmarks.rows import Rows
from proofs.harness.processes import free_port

PING = "/health/live"
START_SECONDS = 60
STOP_SECONDS = 20
OWN_SETTINGS = re.compile(r"PG|PYTHON|VIRTUAL_ENV|DATABASE_URL|WORKERS|THREADS|PORT|HOST|GRANIAN")


@dataclass(frozen=True, slots=True)
class Server:
    contestant: Contestant
    rows: Rows
    port: int
    process: "subprocess.Popen[bytes]"
    first_answer: float  # Seconds from the start of the process to the first response.
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def variables(rows: Rows) -> dict[str, str]:
    inherited = {n: v for n, v in os.environ.items() if not OWN_SETTINGS.match(n)}
    return inherited | {
        **rows.server.variables(rows.database),
        "DATABASE_URL": rows.server.url(rows.database),
        "ENVIRONMENT": "production",
        "SECRET_KEY": "benchmark " * 5,
        "RATE_LIMIT": "",
        "TRUSTED_HOSTS": "127.0.0.1",
        "PYTHONPATH": str(APPLICATIONS),
        "THREADS": str(THREADS),
        "WORKERS": "1",
    }


def migrate(project: Path, rows: Rows) -> None:
    command = [str(project / ".venv/bin/python"), "manage.py", "db", "upgrade"]
    subprocess.run(command, cwd=project, env=variables(rows), check=True, capture_output=True)


def start(contestant: Contestant, project: Path, rows: Rows, cores: set[int], log: Path) -> Server:
    """Start the server on these cores, and wait until it answers. It logs to a file."""
    port = free_port()
    command = [
        "taskset",
        "--cpu-list",
        ",".join(map(str, sorted(cores))),
        *contestant.arguments(project, port),
    ]
    with log.open("ab") as output:
        began = time.monotonic()
        process = subprocess.Popen(
            command,
            cwd=contestant.directory(project),
            env={**variables(rows), **contestant.settings},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    while time.monotonic() < began + START_SECONDS and process.poll() is None:
        if _answers(port):
            return Server(contestant, rows, port, process, time.monotonic() - began, log)
        time.sleep(0.002)
    process.kill()
    process.wait()
    sys.exit(f"{contestant.title} did not start:\n{log.read_text()}")


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    with suppress(OSError, http.client.HTTPException):
        connection.request("GET", PING)
        found = connection.getresponse().status == http.HTTPStatus.OK
        connection.close()
        return found
    connection.close()
    return False

"""Runs a PostgreSQL for a measurement: a container where there is Docker, else embedded."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import psycopg2  # type: ignore[import-untyped]  # The generated project's, which runs this.

from proofs.harness.processes import free_port

IMAGE = "postgres:17-alpine"
# Commits are durable as in production; the other settings avoid background work.
SETTINGS = {
    "max_connections": "300",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "1h",
    "autovacuum": "off",
    "jit": "off",
}
START_SECONDS = 60
# The program stops when its standard input closes, at the latest with this process.
EMBEDDED = """
import sys
from pathlib import Path
from chassis.postgres.embedded import start_embedded_postgres
print(start_embedded_postgres(Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""


@dataclass(frozen=True, slots=True)
class Postgres:
    host: str
    port: int
    user: str
    pid: int
    kind: str

    def url(self, database: str) -> str:
        return (
            f"postgresql://{self.user}@/{database}?host={quote(self.host, safe='')}"
            f"&port={self.port}"
        )

    def variables(self, database: str) -> dict[str, str]:
        """Return the variables that libpq and asyncpg read."""
        return {
            "PGHOST": self.host,
            "PGPORT": str(self.port),
            "PGUSER": self.user,
            "PGDATABASE": database,
            "PGSSLMODE": "disable",
        }

    @contextmanager
    def connect(self, database: str = "postgres") -> Iterator[Any]:
        connection = psycopg2.connect(self.url(database))
        connection.autocommit = True
        try:
            yield connection
        finally:
            connection.close()


@contextmanager
def postgres(project: Path, cores: set[int]) -> Iterator[Postgres]:
    """Run PostgreSQL, with its data in memory where possible, so that no disk is measured."""
    has_docker = (
        shutil.which("docker")
        and not subprocess.run(["docker", "info"], capture_output=True, check=False).returncode
    )
    with _in_docker(cores) if has_docker else _embedded(project, cores) as server:
        yield server


@contextmanager
def _in_docker(cores: set[int]) -> Iterator[Postgres]:
    port = free_port()
    options = [f"-c{name}={value}" for name, value in SETTINGS.items()]
    # On the host's network: Docker's proxy would use the measured cores.
    command = ["docker", "run", "--detach", "--rm", "--network=host", "--shm-size=512m"]
    command += ["--tmpfs=/var/lib/postgresql/data", "--env=POSTGRES_HOST_AUTH_METHOD=trust"]
    command += [f"--cpuset-cpus={','.join(map(str, sorted(cores)))}", IMAGE, "postgres"]
    command += [f"-cport={port}", "-clisten_addresses=127.0.0.1", *options]
    container = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    try:
        inspect = ["docker", "inspect", "--format={{.State.Pid}}", container]
        pid = subprocess.run(inspect, check=True, capture_output=True, text=True).stdout
        server = Postgres("127.0.0.1", port, "postgres", int(pid), f"container {IMAGE}")
        _wait_for(server)
        yield server
    finally:
        subprocess.run(["docker", "rm", "-f", container], check=False, capture_output=True)


@contextmanager
def _embedded(project: Path, cores: set[int]) -> Iterator[Postgres]:
    memory = Path("/dev/shm")
    place = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="benchmark-", dir=place) as name:
        Path(name).chmod(0o755)  # Root's PostgreSQL runs as another user.
        folder = Path(name, "postgres")
        with _holder(project, folder) as server, server.connect() as connection:
            for setting, value in SETTINGS.items():
                connection.cursor().execute(f"ALTER SYSTEM SET {setting} = '{value}'")
        with _holder(project, folder) as server:
            # Processes that PostgreSQL forks later inherit the cores.
            os.sched_setaffinity(server.pid, cores)
            yield server


@contextmanager
def _holder(project: Path, folder: Path) -> Iterator[Postgres]:
    with subprocess.Popen(
        [str(project / ".venv/bin/python"), "-c", EMBEDDED, str(folder)],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        url = urlsplit(process.stdout.readline().strip() if process.stdout else "")
        host = parse_qs(url.query)["host"][0]
        pid = int((folder / "data/postmaster.pid").read_text().split()[0])
        yield Postgres(host, 5432, url.username or "postgres", pid, "embedded")


def _wait_for(server: Postgres) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        with suppress(psycopg2.OperationalError), server.connect():
            return
        time.sleep(0.1)
    sys.exit(f"PostgreSQL did not answer within {START_SECONDS} s.")

"""Starts PostgreSQL 15 (Debian's package), 17 (a Docker image) or 18 (the embedded one)."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psycopg2  # type: ignore[import-untyped]  # The generated project's, which runs this.

from proofs.harness.database import Cluster
from proofs.harness.processes import free_port
from proofs.harness.testbed import Testbed

EMBEDDED = "18"
DEBIAN = Path("/usr/lib/postgresql/15/bin")
SETTINGS = ["-c", "fsync=off", "-c", "max_connections=200", "-c", "max_wal_size=4GB"]
START_SECONDS = 60


class VersionedTestbed(Testbed):
    def __init__(self, project: Path, version: str) -> None:
        self._version = version
        self._server = ExitStack()
        super().__init__(project)

    def close(self) -> None:
        super().close()
        self._server.close()

    def _start_cluster(self) -> Cluster:
        if self._version == EMBEDDED:
            return super()._start_cluster()
        start = {"15": debian, "17": docker}[self._version]
        url = self._server.enter_context(start())
        deadline = time.monotonic() + START_SECONDS
        while True:
            with suppress(psycopg2.OperationalError):
                psycopg2.connect(url).close()
                return Cluster(url, self.folder / "log")
            if time.monotonic() > deadline:
                raise AssertionError(f"PostgreSQL {self._version} does not start.")
            time.sleep(0.1)


@contextmanager
def debian() -> Iterator[str]:
    """Run Debian's PostgreSQL; for root as the user postgres, because PostgreSQL refuses root."""
    folder = Path(tempfile.mkdtemp(prefix="refusals-"))
    user = "postgres" if os.getuid() == 0 else None
    if user:
        shutil.chown(folder, user)
    data, port = folder / "data", free_port()

    def run(program: str, *arguments: str) -> None:
        command = [str(DEBIAN / program), "--pgdata", str(data), *arguments]
        subprocess.run(command, user=user, cwd=folder, stdout=subprocess.DEVNULL, check=True)

    options = ["-p", str(port), "-k", str(folder), "-c", "listen_addresses=", *SETTINGS]
    try:
        run("initdb", "--auth=trust", "--username=postgres")
        run("pg_ctl", "start", "--log", str(folder / "log"), "--options", " ".join(options))
        yield f"postgresql://postgres@:{port}/postgres?host={folder}"
        run("pg_ctl", "stop", "--mode=immediate")
    finally:
        shutil.rmtree(folder)


@contextmanager
def docker() -> Iterator[str]:
    port = free_port()
    command = ["docker", "run", "--rm", "--detach", f"--publish=127.0.0.1:{port}:5432"]
    command += ["--env=POSTGRES_HOST_AUTH_METHOD=trust", "--tmpfs=/var/lib/postgresql/data"]
    command += ["postgres:17-alpine", "postgres", *SETTINGS]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    try:
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres?application_name=rehearsal"
    finally:
        subprocess.run(["docker", "stop", result.stdout.strip()], check=True, capture_output=True)

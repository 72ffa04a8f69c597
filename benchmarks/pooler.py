"""Runs PgBouncer in transaction mode in front of a run's PostgreSQL."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.postgres import Postgres
from proofs.harness.processes import free_port

START_SECONDS = 10
CONNECTIONS = 20  # Connections to PostgreSQL for each database.
SETTINGS = """
[databases]
* = host={host} port={postgres} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {connections}
max_client_conn = 500
ignore_startup_parameters = options,extra_float_digits
log_connections = 0
log_disconnections = 0
"""


def has_pooler() -> bool:
    return shutil.which("pgbouncer") is not None


@contextmanager
def pooler(server: Postgres) -> Iterator[int]:
    """Run PgBouncer; yield its port."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="pooler-") as name:
        Path(name).chmod(0o755)
        file = Path(name, "pgbouncer.ini")
        file.write_text(
            SETTINGS.format(
                host=server.host,
                postgres=server.port,
                user=server.user,
                port=port,
                connections=CONNECTIONS,
            )
        )
        command = ["pgbouncer", "--quiet", str(file)]
        # PgBouncer refuses to run as root, and must be able to read PostgreSQL's socket.
        if os.getuid() == 0:
            owner = Path(server.host).owner() if server.host.startswith("/") else "nobody"
            command.insert(1, f"--user={owner}")
        process = subprocess.Popen(command)
        try:
            _wait_for(port, process)
            yield port
        finally:
            process.terminate()
            process.wait()


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"PgBouncer did not answer within {START_SECONDS} s.")

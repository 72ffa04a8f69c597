"""The `maintenance` commands."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import click

from chassis.bootstrap import load_config_with_database
from chassis.cli.parameters import Duration, Length, Moment, json_option
from chassis.cli.readiness import require_database
from chassis.core.maintenance import MaintenanceMode, Window
from chassis.core.maintenance_service import MaintenanceService, retry_after
from chassis.postgres.engines import unpooled_engine
from chassis.postgres.locks import fence_of, holders, mutex_of
from chassis.project import current_project

mode_option = click.option(
    "--mode",
    type=click.Choice(["read-only", "full"]),
    required=True,
    help="Forbid writing, or reading too.",
)
message_option = click.option("--message", default="", help="The text for callers.")


@dataclass(frozen=True)
class Tools:
    windows: Any  # The container's SqlMaintenanceWindows, or what a project has in its place.
    service: MaintenanceService
    migration_url: str


@contextmanager
def _tools() -> Iterator[Tools]:
    project = current_project()
    config = load_config_with_database(project.config_type)
    container = project.container_type(config=config)
    engines = container.engines()
    try:
        # The service gets the same windows, because their provider is a singleton.
        windows = container.maintenance_windows(source="cli")
        yield Tools(windows, container.maintenance_service(), config.migration_url)
    finally:
        engines.dispose()


@click.group()
def maintenance() -> None:
    """Open and close maintenance windows, in which nobody writes or nobody reads.

    \b
    python manage.py maintenance start --mode read-only --for 30m
    python manage.py maintenance status
    python manage.py maintenance end
    """
    require_database()


@maintenance.command()
@mode_option
@message_option
@click.option("--for", "lasts", type=Length(), help="Expected length, such as 30m.")
@click.option("--no-expire", is_flag=True, help="Do not end by itself after --for.")
@click.option("--drain-timeout", type=Duration(), default="30s", help="Longest wait for writes.")
def start(
    *, mode: str, message: str, lasts: timedelta | None, no_expire: bool, drain_timeout: timedelta
) -> None:
    """Open a window now, and wait until nobody writes.

    \b
    python manage.py maintenance start --mode full --for 10m --message "Back at ten."
    """
    with _tools() as tools:
        window = tools.windows.start(
            MaintenanceMode(mode), message, lasts, expires=not no_expire, patience=drain_timeout
        )
    click.echo(f"Window {window.id}: {mode}, nobody writes any more.")


@maintenance.command()
@mode_option
@message_option
@click.option("--at", type=Moment(), required=True, help="2026-12-01T02:00Z, or +30m.")
@click.option("--for", "lasts", type=Length(), required=True, help="How long, such as 45m.")
def schedule(*, mode: str, message: str, at: datetime, lasts: timedelta) -> None:
    """Announce a window that begins and ends by itself.

    \b
    python manage.py maintenance schedule --at +30m --for 45m --mode read-only
    """
    with _tools() as tools:
        window = tools.windows.schedule(MaintenanceMode(mode), message, at, lasts)
    click.echo(f"Window {window.id}: {mode} from {window.starts_at} to {window.expected_end}.")


@maintenance.command()
@json_option
@click.option("--watch", is_flag=True, help="Repeat every second, until Ctrl-C.")
def status(*, as_json: bool, watch: bool) -> None:
    """Show the open window, or the next one, and the sessions that hold its locks."""
    with _tools() as tools:
        while True:
            state = _state(tools)
            click.echo(json.dumps(state) if as_json else _lines(state))
            if not watch:
                break
            time.sleep(1)


@maintenance.command()
@click.option("--for", "lasts", type=Length(), required=True, help="From now on, such as 30m.")
def extend(lasts: timedelta) -> None:
    """Change the end of a window that was opened by hand."""
    with _tools() as tools:
        window = tools.windows.extend(lasts)
    click.echo(f"Window {window.id} ends at {window.expected_end}.")


@maintenance.command("list")
@click.option("--last", type=click.IntRange(1, 1000), default=20, help="How many.")
@json_option
def list_windows(*, last: int, as_json: bool) -> None:
    """List windows, the newest first."""
    with _tools() as tools:
        for row in tools.windows.latest(last):
            line = json.dumps(row, default=str)
            click.echo(line if as_json else "  ".join(str(v) for v in row.values() if v))


@maintenance.command()
@click.option("--accept-schema", metavar="REVISION", help="The schema's revision is right.")
def end(accept_schema: str | None) -> None:
    """End the window that is open."""
    with _tools() as tools:
        window = tools.windows.end(accept_schema)
    click.echo(f"Window {window.id} has ended.")


@maintenance.command()
@click.argument("window_id", type=int)
def cancel(window_id: int) -> None:
    """Cancel a window that has not begun."""
    with _tools() as tools:
        tools.windows.cancel(window_id)
    click.echo(f"Window {window_id} is cancelled.")


@maintenance.command()
@click.argument("window_id", type=int, required=False)
@json_option
def log(window_id: int | None, *, as_json: bool) -> None:
    """Show the events of windows, with their causes, the oldest first."""
    with _tools() as tools:
        for event in tools.windows.events(window_id):
            values = [str(getattr(event, name)) for name in event.__slots__]
            line = json.dumps(dict(zip(event.__slots__, values, strict=True)))
            click.echo(line if as_json else "  ".join(filter(None, values)))


@maintenance.command("bypass-token")
@click.option("--for", "lasts", type=Duration(), default="30m", help="How long, 12h at most.")
def bypass_token(lasts: timedelta) -> None:
    """Print a value of X-Maintenance-Bypass, with which requests pass the open window."""
    with _tools() as tools:
        click.echo(tools.service.bypass_token(int(lasts.total_seconds())))


def _state(tools: Tools) -> dict[str, Any]:
    window = tools.service.read()
    # The service's role may not see statements of others.
    with unpooled_engine(tools.migration_url).connect() as connection:
        fence, mutex = fence_of(connection), mutex_of(connection)
        writers, migrators = holders(connection, fence), holders(connection, mutex)
    return {
        "window": _shown(window) if window else None,
        "write_fence": fence,
        "writers": writers,
        "mutex": mutex,
        "migrators": migrators,
    }


def _shown(window: Window) -> dict[str, Any]:
    values = {name: getattr(window, name) for name in window.__slots__}
    values["retry_after"] = retry_after(window) if window.is_open else None
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in values.items()
    }


def _lines(state: dict[str, Any]) -> str:
    window = state["window"]
    lines = ["No window is open or scheduled."]
    if window:
        lines = [f"{name:<16}{value}" for name, value in window.items() if value not in (None, "")]
    for name in ("writers", "migrators"):
        lines += [f"{name:<16}{holder}" for holder in state[name]]
    return "\n".join(lines)

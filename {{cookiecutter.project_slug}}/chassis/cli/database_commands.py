"""The `db` commands. None of them builds the web application."""

import json
import sys
from datetime import timedelta
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import click

from chassis.bootstrap import load_config_with_database
from chassis.cli.interruption import interruptible
from chassis.cli.parameters import Duration, json_option
from chassis.cli.readiness import require_database
from chassis.cli.sentences import FINDINGS, with_advice
from chassis.core.maintenance import MaintenanceMode
from chassis.maintenance.declarations import EXPAND
from chassis.maintenance.migrator import LOCK_TIMEOUT
from chassis.migrations.commands import Change, Migrations, migration_scripts
from chassis.migrations.offline import sql_between, sql_of
from chassis.migrations.plan import Options, Plan
from chassis.postgres.embedded import stop_embedded_postgres
from chassis.project import current_project

AUTO = "auto"
LOCK_WAIT = f"{1000 * LOCK_TIMEOUT:.0f}ms"
ROOM = "chassis.development"


def _migrations(**options: Any) -> Migrations:
    arguments: dict[str, Any] = {
        name: value.total_seconds() if isinstance(value, timedelta) else value
        for name, value in options.items()
    }
    mode = arguments.pop("maintenance", AUTO)
    chosen = None if mode == AUTO else MaintenanceMode(mode)
    config = load_config_with_database(current_project().config_type, signs=False)
    return Migrations(config.migration_url, Options(maintenance=chosen, say=_say, **arguments))


def _say(what: str, text: str) -> None:
    click.echo(f"{what:<8} {text}", err=True)


def window_options(command: Any) -> Any:
    """The options that `upgrade` and `downgrade` share."""
    modes = click.Choice([AUTO, *map(str, MaintenanceMode)])
    for option in (
        click.option("--maintenance", type=modes, default=AUTO, help="Mode of the window."),
        click.option("--force", is_flag=True, help="Accept a weaker mode than the revisions need."),
        click.option("--single-transaction", is_flag=True, help="Apply all revisions or none."),
        click.option("--hold", is_flag=True, help="Leave the window open afterwards."),
        click.option("--wait", type=Duration(), default="60s", help="Wait for another migration."),
        click.option(
            "--drain-timeout", type=Duration(), default="30s", help="Wait for running writes."
        ),
        click.option(
            "--lock-timeout", type=Duration(), default=LOCK_WAIT, help="Wait for a lock, first try."
        ),
        click.option(
            "--lock-budget",
            type=Duration(),
            default="10m",
            help="Wait for a lock, all tries together.",
        ),
        click.option(
            "--terminate-blockers", is_flag=True, help="End idle transactions in the way."
        ),
    ):
        command = option(command)
    return command


def without_effect(command: Any) -> Any:
    """Add the options --dry-run and --sql, with which a command changes nothing."""
    for option in (
        click.option("--dry-run", is_flag=True, help="Show the plan, and do nothing."),
        click.option(
            "--sql",
            "sql_only",
            is_flag=True,
            help="Print the SQL of revisions FROM:TO; use no database.",
        ),
    ):
        command = option(command)
    return command


class DatabaseCommands(click.Group):
    """Leaves out `compat` where chassis/development is missing, as in an image."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *(["compat"] if find_spec(ROOM) else [])})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name == "compat" and find_spec(ROOM):
            command: click.Command = import_module(f"{ROOM}.compatibility").compat
            return command
        return super().get_command(ctx, cmd_name)


@click.group(cls=DatabaseCommands)
def db() -> None:
    """Migrate the database.

    \b
    python manage.py db migrate -m "Add notes"
    python manage.py db upgrade
    python manage.py db downgrade
    """
    require_database()


@db.command()
@click.option(
    "-m",
    "--message",
    required=True,
    help="Title of the revision; becomes part of the file's name.",
)
@click.option("--empty", is_flag=True, help="Write a revision without operations, to fill in.")
@click.option("--plain", is_flag=True, help="Write one revision, even if it blocks other sessions.")
@click.option(
    "--accept-drop", metavar="NAME", multiple=True, help="Accept the drop of NAME, with its data."
)
def migrate(*, message: str, empty: bool, plain: bool, accept_drop: tuple[str, ...]) -> None:
    """Write revisions for the differences between the models and the earlier revisions.

    Tries each revision on a scratch database; the exit code is 3 if one fails there. A change that
    would block other sessions for long becomes several revisions.

    \b
    python manage.py db migrate -m "Add notes"
    """
    paths = _migrations().create(message, empty=empty, plain=plain, accept_drop=accept_drop)
    for path in paths:
        click.echo(f"Wrote {path}. Read it before you apply it.")
    if not paths:
        click.echo(
            "Nothing to do: the models equal the result of the revisions. No revision was written."
        )


@db.command()
@click.argument("revision", default="head")
@window_options
@click.option(
    "--until", type=click.Choice([EXPAND]), help="Stop before the first contract revision."
)
@click.option(
    "--accept-writes",
    is_flag=True,
    help="Accept writes since a window ended between two revisions.",
)
@without_effect
def upgrade(
    *, revision: str, until: str | None, dry_run: bool, sql_only: bool, **options: Any
) -> None:
    """Apply revisions, all by default; each in a transaction of its own.

    Opens a maintenance window if a revision needs one, waits until nobody writes, and closes it.
    Several upgrades may be started at once: one works, the others wait for it. The exit code is
    75 if something is in the way for too long: run the command again. The exit code is 4 if the
    window stays open.

    \b
    python manage.py db upgrade
    python manage.py db upgrade 0002
    """
    if sql_only:
        click.echo(sql_between("upgrade", revision))
    elif dry_run:
        _show(*_migrations().plan(revision, until_expand=bool(until)))
    else:
        with interruptible():
            _report(_migrations(**options).upgrade(revision, until_expand=bool(until)))


@db.command(context_settings={"ignore_unknown_options": True})
@click.argument("revision", default="-1")
@window_options
@without_effect
@click.option("--yes", is_flag=True, help="Do not ask for confirmation on a terminal.")
def downgrade(*, revision: str, yes: bool, dry_run: bool, sql_only: bool, **options: Any) -> None:
    """Take revisions back, one by default, in the windows that they were measured to need.

    \b
    python manage.py db downgrade
    python manage.py db downgrade -2
    python manage.py db downgrade base
    """
    if sql_only:
        click.echo(sql_between("downgrade", revision))
        return
    if dry_run:
        _show(*_migrations().plan_back(revision))
        return
    asks = sys.stdin.isatty() and not yes
    if asks and not click.confirm("This may remove data. Go on?", err=True):
        raise click.ClickException("Nothing was changed.")
    with interruptible():
        _report(_migrations(**options).downgrade(revision))


@db.command()
@json_option
def status(*, as_json: bool) -> None:
    """Show the revision, pending revisions, and sessions that may block them."""
    state = _migrations().status()
    if as_json:
        click.echo(json.dumps(state))
        return
    for name, value in state.items():
        shown = value if isinstance(value, list) else [value or "none"]
        click.echo("\n".join(f"{name:<32}{one}" for one in shown or ["none"]))


@db.command()
def current() -> None:
    """Show the revision of the database."""
    click.echo(_migrations().current() or "none")


@db.command()
def heads() -> None:
    """Show the newest revision in the code."""
    for head in migration_scripts().get_heads():
        click.echo(head)


@db.command()
def history() -> None:
    """List the revisions in the code, newest first."""
    for script in migration_scripts().walk_revisions():
        click.echo(f"{script.revision}  {script.doc}")


@db.command()
@click.argument("revision")
def stamp(revision: str) -> None:
    """Set the revision of the database without changing its schema.

    \b
    python manage.py db stamp 0001
    """
    _report(_migrations().stamp(revision))


@db.command()
@json_option
def check(*, as_json: bool) -> None:
    """Report too weak declarations of revisions, and differences between models and database.

    Runs all revisions up and down on a scratch database. Writes the measurements into their files,
    for the operators who apply them. The exit code is 3 if something is wrong.
    """
    wrong = _migrations().check(write=True)
    if as_json:
        click.echo(json.dumps(wrong))
    for sentence in [] if as_json else wrong:
        first, *rest = sentence.splitlines()
        click.echo("\n".join([f"Error: {with_advice(first)}", *rest]), err=True)
    if wrong:
        sys.exit(FINDINGS)
    if not as_json:
        click.echo(
            "The declarations of the revisions suffice, and the database has what the models have."
        )


@db.command()
def stop() -> None:
    """Stop the embedded development database, even if others use it."""
    stopped = stop_embedded_postgres(current_project().embedded_data)
    click.echo("Stopped." if stopped else "The embedded PostgreSQL does not run.")


def _show(plan: Plan, lines: list[str]) -> None:
    click.echo("\n".join([*plan.described(), *lines]), err=True)
    click.echo(sql_of(plan))


def _report(change: Change) -> None:
    before, after = (revision or "none" for revision in change)
    click.echo(f"{before} -> {after}" if before != after else f"At {after}.")

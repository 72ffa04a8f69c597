"""The `db` commands. None of them builds the web application."""

import click

from src.bootstrap import EMBEDDED_DATA, load_config_with_database
from src.infrastructure.databases.embedded import stop_embedded_postgres
from src.infrastructure.databases.migrations import Migrations, migration_scripts


def _migrations() -> Migrations:
    return Migrations(load_config_with_database().database_url)


@click.group()
def db() -> None:
    """Migrate the database.

    \b
    python manage.py db migrate -m "Add notes"
    python manage.py db upgrade
    python manage.py db downgrade
    """


@db.command()
@click.option("-m", "--message", required=True, help="What the revision does; names its file.")
@click.option("--empty", is_flag=True, help="Write a revision without operations, to fill in.")
@click.option("--accept-drop", is_flag=True, help="What looks like a rename is a drop and an add.")
def migrate(*, message: str, empty: bool, accept_drop: bool) -> None:
    """Write a revision: what the models have and the database has not.

    \b
    python manage.py db migrate -m "Add notes"
    """
    path = _migrations().create(message, empty=empty, accept_drop=accept_drop)
    if path:
        click.echo(f"Wrote {path}. Read it before you apply it.")
    else:
        click.echo("Nothing to do: the database has what the models have. No revision was written.")


@db.command()
@click.argument("revision", default="head")
def upgrade(revision: str) -> None:
    """Apply revisions, all by default; each in a transaction of its own.

    Several may be started at once: one works, the others wait for it. Ends with 75 if another
    migration or a lock stands in the way for too long: run it again.

    \b
    python manage.py db upgrade
    python manage.py db upgrade 0002
    """
    migrations = _migrations()
    before = migrations.current()
    migrations.upgrade(revision)
    _report(before, migrations.current())


@db.command(context_settings={"ignore_unknown_options": True})
@click.argument("revision", default="-1")
def downgrade(revision: str) -> None:
    """Take revisions back, one by default.

    \b
    python manage.py db downgrade
    python manage.py db downgrade -2
    python manage.py db downgrade base
    """
    migrations = _migrations()
    before = migrations.current()
    migrations.downgrade(revision)
    _report(before, migrations.current())


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
    migrations = _migrations()
    before = migrations.current()
    migrations.stamp(revision)
    _report(before, migrations.current())


@db.command()
def check() -> None:
    """Fail unless the database is at the newest revision and has what the models have."""
    _migrations().check()
    click.echo("The database is at the newest revision and has what the models have.")


@db.command()
def stop() -> None:
    """Stop the embedded development database, whoever uses it."""
    stopped = stop_embedded_postgres(EMBEDDED_DATA)
    click.echo("Stopped." if stopped else "It does not run.")


def _report(before: str | None, after: str | None) -> None:
    before, after = before or "none", after or "none"
    click.echo(f"{before} -> {after}" if before != after else f"At {after}.")

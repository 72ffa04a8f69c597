"""The `files` commands, with which operators look after stored contents."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from chassis.bootstrap import load_config_with_database
from chassis.cli.readiness import require_ready_database
from chassis.cli.sentences import FINDINGS
from chassis.project import current_project


@click.group()
def files() -> None:
    """Set up the file store, and remove abandoned uploads.

    \b
    python manage.py files prepare
    python manage.py files sweep
    """


@files.command()
@click.option("--dry-run", is_flag=True, help="Print what would be removed, and remove nothing.")
def sweep(*, dry_run: bool) -> None:
    """Remove abandoned uploads: rows without a content, contents without a row.

    Uploads younger than a day stay. Run the command once a day. The exit code is 3 if the
    content of a ready file is missing; the command names the file.
    """
    with _container() as container:
        swept = container.file_sweep().run(dry_run=dry_run)
    verb = "Would remove" if dry_run else "Removed"
    click.echo(f"{verb} {swept.abandoned} files that got no content.")
    click.echo(f"{verb} {swept.orphans} contents that belong to no file.")
    for file in swept.missing:
        click.echo(f"The content of file {file.id} is gone: {file.key}", err=True)
    if swept.missing:
        sys.exit(FINDINGS)


@files.command()
def prepare() -> None:
    """Create the bucket, its rule for abandoned uploads, and its CORS rules for browsers."""
    with _container() as container:
        done = container.file_store().prepare(container.config().cors_origins)
    for sentence in done:
        click.echo(sentence)


@contextmanager
def _container() -> Iterator[Any]:
    project = current_project()
    config = load_config_with_database(project.config_type)
    require_ready_database(config)
    container = project.container_type(config=config)
    try:
        yield container
    finally:
        container.engines().dispose()

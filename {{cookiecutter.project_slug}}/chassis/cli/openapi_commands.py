import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from difflib import unified_diff
from json import dumps, loads
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

import click

from chassis.project import current_project
from chassis.settings import PRODUCTION, Settings, default_prefix

NOWHERE = "postgresql://nobody@localhost/nothing"
# Git's messages if there is no repository, tag, branch, commit or file to compare with.
ABSENT = (
    "not a git repository",
    "No names found",
    "No tags can describe",
    "Not a valid object name",
    "invalid object name",
    "does not exist in",
    "exists on disk, but not in",
)


@click.group()
def openapi() -> None:
    """Write openapi.json, compare it with the code, and find changes that break clients."""


@openapi.command()
def write() -> None:
    """Write openapi.json anew from the code."""
    current_project().document.write_text(_text(describe_api()), "utf-8", newline="\n")
    click.echo("Wrote openapi.json.")


@openapi.command()
def check() -> None:
    """Fail, and show the difference, if openapi.json differs from the code."""
    committed = loads(_committed())
    if committed == (current := describe_api()):
        click.echo("openapi.json agrees with the code.")
        return
    was, now = _text(committed).splitlines(), _text(current).splitlines()
    click.echo("\n".join(unified_diff(was, now, "openapi.json", "the code", lineterm="")))
    raise click.ClickException(
        "openapi.json differs from the code. Run `python manage.py openapi write`, and commit "
        "openapi.json with the change."
    )


@openapi.command()
@click.option("--against", "--base", metavar="FILE|REVISION")
def breaking(against: str | None) -> None:
    """Fail, and name the changes, if the code breaks clients of an earlier openapi.json.

    By default, the earlier file is that of the newest tag; without a tag, of the commit where the
    branch left origin/HEAD; without a remote, of HEAD.

    \b
    python manage.py openapi breaking --against origin/main
    """
    from chassis.openapi.breaking import breaking_changes  # noqa: PLC0415  # A slow import.

    name = against or _git("describe", "--tags", "--abbrev=0")
    name = name or _git("merge-base", "HEAD", "origin/HEAD") or "HEAD"
    earlier = _earlier(name)
    if earlier is None and against:
        raise click.ClickException(f"There is no openapi.json at {name}.")
    if earlier is None:
        click.echo("There is no earlier openapi.json to compare with.")
        return
    changes = breaking_changes(loads(earlier), describe_api(), datetime.now(UTC).date())
    for change in changes:
        click.echo(change)
    if changes:
        raise click.ClickException(
            f"These changes break clients of {name}. Such a change belongs in a new "
            "version, as src/api/controllers/v2 beside v1, or after the sunset of the old one."
        )
    click.echo(f"Nothing breaks a client of {name}.")


@contextmanager
def application_without_database(config: Settings) -> Iterator[Any]:
    """Build the application in order to read what it declares; nothing connects to a database."""
    app = current_project().create_app(replace(config, database_url=NOWHERE))
    try:
        yield app
    finally:
        app.extensions["container"].unwire()


def describe_api() -> dict[str, Any]:
    """The document of the code, with the default prefix."""
    from chassis.openapi.description import document_of  # noqa: PLC0415  # A slow import.

    project = current_project()
    about: dict[str, Any] = project.about
    config = project.config_type(
        **about,
        environment=PRODUCTION,
        service_prefix=default_prefix(project.config_type),
        secret_key=token_urlsafe(),
        log_level="ERROR",
    )
    with application_without_database(config) as app:
        return document_of(app)


def _committed() -> str:
    try:
        return current_project().document.read_text("utf-8")
    except FileNotFoundError as error:
        raise click.ClickException(
            "There is no openapi.json. Run `python manage.py openapi write`."
        ) from error


def _earlier(name: str) -> str | None:
    file = Path(name)
    return file.read_text("utf-8") if file.is_file() else _git("show", f"{name}:./openapi.json")


def _git(*arguments: str) -> str | None:
    """The output of git; None where there is no repository, revision or file.

    Raise ClickException with git's message for another failure, so that no check passes by it.
    """
    if not (git := shutil.which("git")):
        if (current_project().root / ".git").exists():
            raise click.ClickException(
                "git was not found. The command reads the earlier openapi.json from git."
            )
        return None
    result = subprocess.run(
        [git, *arguments],
        cwd=current_project().root,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "LC_ALL": "C"},
        check=False,
    )
    if result.returncode and result.stderr and not any(map(result.stderr.__contains__, ABSENT)):
        raise click.ClickException(f"git {arguments[0]}: {result.stderr.strip()}")
    return result.stdout.strip() if result.returncode == 0 else None


def _text(document: Mapping[str, Any]) -> str:
    return f"{dumps(document, indent=2, ensure_ascii=False)}\n"

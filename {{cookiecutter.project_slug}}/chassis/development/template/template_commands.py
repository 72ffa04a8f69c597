"""The `template` commands: this project and the template that generated it."""

import sys
from collections.abc import Iterable
from typing import Any

import click

from chassis.development.template.patches import patches
from chassis.development.template.record import TemplateError
from chassis.development.template.update import Result, state, update
from chassis.project import current_project

FINDINGS = 3  # Exit status: an update exists, or conflicts are left.

source_option = click.option(
    "--from", "source", metavar="SOURCE", help="URL or path of the template."
)
target_option = click.option(
    "--to", "reference", metavar="REF", help="Tag, branch or commit; the newest by default."
)


@click.group()
def template() -> None:
    """Compare this project with its template, and merge the template's changes.

    \b
    python manage.py template status
    python manage.py template update --to 2.0.0
    """


@template.command()
@source_option
@target_option
def status(*, source: str | None, reference: str | None) -> None:
    """Show the commit that this project was generated from, and the later ones."""
    _print_state(source, reference)


@template.command("update")
@source_option
@target_option
@click.option(
    "--check", is_flag=True, help="Change nothing; the exit code is 3 if there is an update."
)
def update_(*, source: str | None, reference: str | None, check: bool) -> None:
    """Merge a state of the template into the work tree; you review and commit it.

    The exit code is 3 if there are conflicts, and 1 if nothing was changed. `git reset --hard`
    takes an update back.
    """
    if check:
        sys.exit(FINDINGS if _print_state(source, reference) else 0)
    result = update(current_project().root, source, reference, _ask)
    _print_result(result)
    sys.exit(FINDINGS if result.conflicts or result.failed else 0)


@template.command("patches")
def patches_() -> None:
    """Name the files of chassis/ that differ from the template's. The exit code is 0 anyway."""
    try:
        patched = sorted(patches(current_project().root))
    except TemplateError as error:
        click.echo(error.message)
        return
    if patched:
        _print_list("Patched in chassis/ by this project; an update merges them", patched)
    else:
        click.echo("chassis/ is as the template made it.")


def _print_state(source: str | None, reference: str | None) -> bool:
    """Print the state; return whether there is an update."""
    template = state(current_project().root, source, reference)
    click.echo(f"This project   {template.at}\nThe template   {template.newest}")
    for line in template.commits:
        click.echo(f"  {line}")
    if not template.commits:
        click.echo("Nothing to do.")
    return bool(template.commits)


def _print_result(result: Result) -> None:
    _print_list("Updated", result.updated)
    _print_list("Deleted here before, and not restored", result.deleted)
    _print_list("Conflicts", result.conflicts)
    _print_list("Merged by definitions; please review", result.merged)
    _print_list("Changed to new names", result.renamed)
    _print_list("Answered", [f"{name}: {value}" for name, value in result.answered.items()])
    _print_list("Generated files to rewrite, with", result.commands)
    if result.failed:
        click.echo(f"{result.failed}\nThe template's changelog describes this step.")
    if result.conflicts:
        click.echo("Resolve the conflicts and `git add` them; then `git commit`.")
    else:
        click.echo('Run the tests, then: git commit -m "Update from the template"')


def _print_list(title: str, lines: Iterable[str]) -> None:
    listed = list(lines)
    click.echo(f"{title}: {len(listed)}")
    for line in listed:
        click.echo(f"  {line}")


def _ask(question: str, default: Any) -> Any:
    """Ask on a terminal; elsewhere take the default, which the report shows."""
    if not sys.stdin.isatty():
        return None
    choices = default if isinstance(default, list) else None
    standard = choices[0] if choices else default
    kind = click.Choice(choices) if choices else type(standard)
    return click.prompt(question, default=standard, type=kind)

"""`manage.py generate` and `manage.py destroy`."""

import json
import shlex
import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import click

from chassis.development.generate.draft import Draft
from chassis.development.generate.grammar import operations_of, read_resource
from chassis.development.generate.later import add_field, read_addition
from chassis.development.generate.model_file import read_model
from chassis.development.generate.receipt import Receipt
from chassis.development.generate.resource import OPERATIONS
from chassis.development.generate.resources import add_resources
from chassis.development.generate.undo import take_back
from chassis.project import current_project


def _names(_: click.Context, __: click.Parameter, value: str | None) -> tuple[str, ...]:
    return () if value is None else tuple(value.split(","))


dry_run_option = click.option(
    "--dry-run", is_flag=True, help="Show the changes as a diff, and write nothing."
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print the plan as JSON, and do nothing."
)
no_migration_option = click.option("--no-migration", is_flag=True, help="Write no revision.")


@click.group()
def generate() -> None:
    """Write the code of a resource, or of a field, in every layer.

    \b
    python manage.py generate resource Note title:str:200 body:text:optional
    python manage.py generate field Note pinned:bool=false
    python manage.py generate resources model.toml
    """


@generate.command()
@click.argument("name")
@click.argument("fields", nargs=-1, required=True, metavar="FIELD...")
@click.option(
    "--operations", callback=_names, help=f"Some of {','.join(OPERATIONS)}; all by default."
)
@click.option(
    "--plural", default="", help="Name of table and URL, if the generated plural is wrong."
)
@click.option("--unique", multiple=True, help="Fields that are unique together: a,b.")
@click.option(
    "--owned", is_flag=True, help="Each row belongs to its creator; others cannot find it."
)
@click.option(
    "--public", is_flag=True, help="Everybody may read; otherwise, reading needs a scope."
)
@click.option("--under", default="", help="Put the list below another resource: --under Customer.")
@click.option("--timestamps", is_flag=True, help="Adds created_at and updated_at.")
@no_migration_option
@dry_run_option
@json_option
def resource(
    *,
    name: str,
    fields: tuple[str, ...],
    no_migration: bool,
    dry_run: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Write a resource: NAME as Invoice, each FIELD as name:type[:argument][:modifier][=default].

    \b
    python manage.py generate resource Invoice number:str:40:unique amount:decimal:12.2 \\
        due_on:date:optional paid:bool=false status:enum:draft,sent,paid=draft
    """
    options["operations"] = operations_of(options["operations"])
    options["unique"] = tuple(tuple(names.split(",")) for names in options["unique"])
    draft = Draft(current_project().root)
    made = add_resources(draft, [read_resource(name, fields, **options)], _command())
    _finish(draft, made, migrate=not no_migration, dry_run=dry_run, as_json=as_json)


@generate.command()
@click.argument("file", type=click.Path(path_type=Path))
@no_migration_option
@dry_run_option
@json_option
def resources(*, file: Path, no_migration: bool, dry_run: bool, as_json: bool) -> None:
    """Write all resources of a model file, with one revision, or none.

    \b
    [Customer]
    name = "str:200:sort"
    email = "email:unique"

    \b
    [Invoice]
    customer = "ref:Customer:restrict"
    amount = "decimal:12.2"
    "--owned" = true
    """
    draft = Draft(current_project().root)
    made = add_resources(draft, read_model(file), _command())
    _finish(draft, made, migrate=not no_migration, dry_run=dry_run, as_json=as_json)


@generate.command()
@click.argument("name")
@click.argument("source", metavar="FIELD")
@click.option("--backfill", help="The value for existing rows.")
@dry_run_option
@json_option
def field(*, name: str, source: str, backfill: str | None, dry_run: bool, as_json: bool) -> None:
    """Add a field to an existing resource, with revisions that expand and contract.

    \b
    python manage.py generate field Invoice vat:decimal:12.2:optional
    python manage.py generate field Invoice currency:str:3 --backfill EUR
    """
    draft = Draft(current_project().root)
    addition = read_addition(draft, name, source, backfill)
    receipt = add_field(draft, addition, _command())
    if dry_run or as_json or not receipt:
        _finish(
            draft, [receipt] if receipt else [], migrate=False, dry_run=dry_run, as_json=as_json
        )
        return
    # Late, because this imports Alembic.
    from chassis.development.generate.expand import add_revisions  # noqa: PLC0415
    from chassis.development.generate.generated_revisions import write  # noqa: PLC0415

    write(draft, [receipt], partial(add_revisions, draft, addition))


def _command() -> str:
    return f"python manage.py {shlex.join(sys.argv[1:])}"


def _finish(
    draft: Draft, made: list[Receipt], *, migrate: bool, dry_run: bool, as_json: bool
) -> None:
    if as_json:
        click.echo(json.dumps(_plan(draft, made), indent=2))
    elif dry_run:
        click.echo(draft.diff(), nl=False)
    elif not made:
        click.echo("Nothing to do: this code exists already.")
    else:
        from chassis.development.generate.generated_revisions import added, write  # noqa: PLC0415

        write(draft, made, partial(added, draft, made) if migrate else None)


def _plan(draft: Draft, made: list[Receipt]) -> dict[str, Any]:
    return {
        "resources": [receipt.description for receipt in made],
        "files": {
            path: text for path, text in draft.texts.items() if not (draft.root / path).exists()
        },
        "insertions": [
            {"path": one.path, "scope": one.scope, "text": one.text}
            for receipt in made
            for one in receipt.insertions
        ],
    }


@click.group()
def destroy() -> None:
    """Take back what `generate` wrote.

    \b
    python manage.py destroy field Note pinned
    python manage.py destroy resource Note
    """


force_option = click.option("--force", is_flag=True, help="Remove files that were edited, too.")


@destroy.command("resource")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@force_option
@dry_run_option
def destroy_resource(*, names: tuple[str, ...], force: bool, dry_run: bool) -> None:
    """Take resources back: their files, their lines in other files, their revisions.

    Name a resource before the one that it refers to.
    """
    _take_back(names, force=force, dry_run=dry_run)


@destroy.command("field")
@click.argument("name")
@click.argument("column")
@force_option
@dry_run_option
def destroy_field(*, name: str, column: str, force: bool, dry_run: bool) -> None:
    """Take back a field that was added later: its lines and its revisions."""
    _take_back([f"{name}.{column}"], force=force, dry_run=dry_run)


def _take_back(names: Iterable[str], *, force: bool, dry_run: bool) -> None:
    draft = Draft(current_project().root)
    ended = [one for name in dict.fromkeys(names) for one in take_back(draft, name, force=force)]
    if dry_run:
        click.echo(draft.diff(), nl=False)
        return
    from chassis.development.generate.generated_revisions import end  # noqa: PLC0415  # It is Alembic.

    end(draft, ended, force=force)

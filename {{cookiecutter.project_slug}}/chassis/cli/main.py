import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import click

from chassis.project import current_project

# The module of each command; only the called one is imported.
COMMANDS = {
    "run": "chassis.cli.server",
    "serve": "chassis.cli.server",
    "db": "chassis.cli.database_commands",
    "maintenance": "chassis.cli.maintenance_commands",
    "files": "chassis.cli.file_commands",
    "openapi": "chassis.cli.openapi_commands",
    "routes": "chassis.cli.project_commands",
    "shell": "chassis.cli.project_commands",
    "seed": "chassis.cli.project_commands",
    "token": "chassis.cli.token_command",
    "config": "chassis.cli.project_commands",
    "worker": "chassis.cli.jobs_commands",
    "relay": "chassis.cli.jobs_commands",
    "jobs": "chassis.cli.jobs_commands",
    "generate": "chassis.development.generate.generate_commands",
    "destroy": "chassis.development.generate.generate_commands",
    "template": "chassis.development.template.template_commands",
}


class Commands(click.Group):
    """Turns errors that people can correct into a sentence and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        there = {name for name, module in COMMANDS.items() if _is_there(module)}
        return sorted({*there, *current_project().commands(), *super().list_commands(ctx)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if (module := COMMANDS.get(cmd_name)) and _is_there(module):
            self.add_command(getattr(import_module(module), cmd_name.replace("-", "_")))
        elif command := current_project().command(cmd_name):
            self.add_command(command, cmd_name)
        return super().get_command(ctx, cmd_name)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            names = [*self.list_commands(ctx), *self._nested(ctx)]
            raise click.exceptions.NoSuchCommand(
                error.command_name, possibilities=names, ctx=ctx
            ) from None

    def _nested(self, ctx: click.Context) -> Iterator[str]:
        for name in self.list_commands(ctx):
            if isinstance(group := self.get_command(ctx, name), click.Group):
                yield from (f"{name} {one}" for one in group.list_commands(ctx))

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            # Imported late, because it imports the errors of all commands.
            from chassis.cli.sentences import sentence_of  # noqa: PLC0415

            if not (answer := sentence_of(error, ctx.invoked_subcommand)):
                raise
            sentence, code = answer
            click.echo(f"Error: {sentence}", err=True)
            sys.exit(code)


def _is_there(module: str) -> bool:
    """Whether the package of the command exists: an image has no chassis/development."""
    room = ".".join(module.split(".")[:2])
    return find_spec(room) is not None


def _show_version(ctx: click.Context, _parameter: click.Parameter, value: object) -> None:
    if value:
        about = current_project().about
        click.echo(f"{about['name']}, version {about['version']}")
        ctx.exit()


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Run, migrate and inspect this service.

    \b
    python manage.py run                       start it for development
    python manage.py db migrate -m "Add notes" write a migration
    python manage.py db upgrade                apply migrations
    python manage.py serve                     start it for production
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())

import sys
from importlib import import_module
from typing import Any

import click

from src.config import project

# Where each is: only the one that is called for is imported.
COMMANDS = {
    "run": "src.cli.server",
    "serve": "src.cli.server",
    "db": "src.cli.database",
    "maintenance": "src.cli.maintenance",
    "openapi": "src.cli.openapi",
    "routes": "src.cli.project",
    "shell": "src.cli.project",
    "seed": "src.cli.project",
    "token": "src.cli.token",
    "config": "src.cli.project",
}


class Commands(click.Group):
    """Turns what people can put right into a sentence and an exit code, without a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        found: click.Command | None = None
        if module := COMMANDS.get(cmd_name):
            found = getattr(import_module(module), cmd_name)
        return found

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            # Not before: it knows the errors of all commands.
            from src.cli.sentences import sentence_of  # noqa: PLC0415

            if not (found := sentence_of(error)):
                raise
            sentence, code = found
            click.echo(f"Error: {sentence}", err=True)
            sys.exit(code)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(project()["version"], prog_name=project()["name"])
def cli() -> None:
    """Run, migrate and inspect this service.

    \b
    python manage.py run                       start it for development
    python manage.py db migrate -m "Add notes" write a migration
    python manage.py db upgrade                apply migrations
    python manage.py serve                     start it for production
    """

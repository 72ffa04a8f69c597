import sys
from typing import Any

import click
from alembic.util import CommandError
from sqlalchemy.exc import OperationalError

from src.cli.database import db
from src.cli.project import config, routes, seed, shell
from src.cli.server import run, serve
from src.config import ConfigError, project
from src.domain.exceptions import DomainError
from src.infrastructure.databases.embedded import EmbeddedPostgresError
from src.infrastructure.databases.migrator import BusyError

FAILED = 1
BUSY, MISCONFIGURED = 75, 78  # EX_TEMPFAIL and EX_CONFIG of sysexits.h


class Commands(click.Group):
    """Turns what people can put right into one sentence and an exit code, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (ConfigError, EmbeddedPostgresError) as error:
            _stop(str(error), MISCONFIGURED)
        except OperationalError as error:
            reason = str(error.orig).strip().splitlines()[0]
            _stop(f"The database does not answer. Check DATABASE_URL. ({reason})", FAILED)
        except BusyError as error:
            _stop(f"{error} Nothing is half done; run the same command again.", BUSY)
        except (CommandError, DomainError) as error:
            _stop(str(error), FAILED)


def _stop(sentence: str, code: int) -> None:
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


for command in (run, serve, db, routes, shell, seed, config):
    cli.add_command(command)

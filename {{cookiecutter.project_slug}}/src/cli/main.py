import sys
from typing import Any

import click
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

from src.cli.database import db
from src.cli.maintenance import maintenance
from src.cli.openapi import openapi
from src.cli.project import config, routes, seed, shell
from src.cli.sentences import database_sentence, with_advice
from src.cli.server import run, serve
from src.cli.token import token
from src.config import ConfigError, project
from src.domain.exceptions import BusyError, DomainError
from src.infrastructure.databases.embedded import EmbeddedPostgresError
from src.infrastructure.maintenance.migrator import PoolerError
from src.infrastructure.maintenance.recovery import MigrationFailedError

FAILED = 1
WINDOW_STAYS = 4  # An operator is needed.
BUSY, MISCONFIGURED = 75, 78  # EX_TEMPFAIL and EX_CONFIG of sysexits.h


class Commands(click.Group):
    """Turns what people can put right into a sentence and an exit code, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (ConfigError, EmbeddedPostgresError, PoolerError) as error:
            _stop(str(error), MISCONFIGURED)
        except BusyError as error:
            _stop(f"{error} Nothing is half done; run the same command again.", BUSY)
        except MigrationFailedError as error:
            _stop(str(error), WINDOW_STAYS)
        except DBAPIError as error:
            _stop(database_sentence(error), FAILED)
        except CommandError as error:
            _stop(with_advice(str(error)), FAILED)
        except DomainError as error:
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


for command in (run, serve, db, maintenance, openapi, routes, shell, seed, token, config):
    cli.add_command(command)

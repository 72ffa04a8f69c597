import sys
from typing import Any

import click
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

from src.cli.database import db
from src.cli.maintenance import maintenance
from src.cli.project import config, routes, seed, shell
from src.cli.server import run, serve
from src.config import ConfigError, project
from src.domain.exceptions import BusyError, DomainError
from src.infrastructure.databases.embedded import EmbeddedPostgresError
from src.infrastructure.maintenance.migrator import PoolerError
from src.infrastructure.maintenance.recovery import MigrationFailedError

FAILED = 1
WINDOW_STAYS = 4  # An operator is needed.
BUSY, MISCONFIGURED = 75, 78  # EX_TEMPFAIL and EX_CONFIG of sysexits.h


# What Alembic says in its own words, and what to do then.
ADVICE = {
    "Target database is not up to date": "Run `python manage.py db upgrade` first.",
    "Can't locate revision": "This code has no such revision: it may be older than the database.",
    "Relative revision": "There are not that many revisions in that direction.",
}
# By SQLSTATE. https://www.postgresql.org/docs/current/errcodes-appendix.html
DATABASE_ADVICE = {
    "42501": "The role in DATABASE_URL may not do this.",
    "42P07": "The schema is not at the revision that the database says it is. If it is at another, "
    "run `python manage.py db stamp REVISION`.",
}


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
            _stop(_database_sentence(error), FAILED)
        except CommandError as error:
            advice = [text for start, text in ADVICE.items() if str(error).startswith(start)]
            _stop(" ".join([f"{str(error).rstrip('.')}.", *advice]), FAILED)
        except DomainError as error:
            _stop(str(error), FAILED)


def _database_sentence(error: DBAPIError) -> str:
    state = getattr(error.orig, "pgcode", None)
    reason = str(error.orig).strip().partition("\n")[0]
    if state is None:
        return f"The database does not answer. Check DATABASE_URL. ({reason})"
    return f"{DATABASE_ADVICE.get(state, 'The database refused this.')} ({reason})"


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


for command in (run, serve, db, maintenance, routes, shell, seed, config):
    cli.add_command(command)

import click

from src.config import Config
from src.dependency_container import Container
from src.domain.exceptions import UnavailableError


def require_ready_database(config: Config) -> None:
    """Raise ClickException, with what to do, unless the service could serve from it now."""
    container = Container(config=config)
    try:
        container.health_service().readiness()
    except UnavailableError as error:
        cause = getattr(error.__cause__, "orig", None)
        reason = f" ({str(cause).splitlines()[0]})" if cause else ""
        advice = "Check DATABASE_URL, then run `python manage.py db upgrade`."
        raise click.ClickException(f"{error}{reason} {advice}") from error
    finally:
        container.engines().dispose()


def schema_is_behind(config: Config) -> bool:
    container = Container(config=config)
    try:
        return container.database_probe().schema_state().behind
    finally:
        container.engines().dispose()

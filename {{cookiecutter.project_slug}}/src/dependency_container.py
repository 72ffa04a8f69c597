"""The one module that knows both the services and what implements their ports."""

from dependency_injector.containers import DeclarativeContainer
from dependency_injector.providers import Dependency, Singleton

from chassis import operations
from chassis.core.health_service import HealthService
from chassis.core.maintenance_service import MaintenanceService
from chassis.maintenance.revisions import read_revisions
from chassis.maintenance.schema_probe import SqlDatabaseProbe
from chassis.maintenance.sql_maintenance_windows import SqlMaintenanceWindows
from chassis.postgres.engines import Engines
from chassis.postgres.unit_of_work_factory import SqlUnitOfWorkFactory
from chassis.settings import DEVELOPMENT
from chassis.tokens.development_tokens import ISSUER, development_keys
from chassis.tokens.jwt_authenticator import JwtAuthenticator
from chassis.tokens.signing_keys import FixedKeys, PublishedKeys
from chassis.wiring import wire
from src.api import controllers
from src.config import Config
from src.infrastructure.databases.unit_of_work import SqlUnitOfWork
from src.infrastructure.services.system_clock import SystemClock
from src.services.todo_service import TodoService


def _authenticator(config: Config) -> JwtAuthenticator:
    """Without an issuer: in development, the command line's tokens are good, else none is."""
    if config.jwt_jwks_url:
        published = PublishedKeys(config.jwt_jwks_url, f"{config.name}/{config.version}")
        published.read_in_background()  # The first request need not wait for them.
        return JwtAuthenticator(
            published,
            issuer=config.jwt_issuer,
            audience=config.jwt_audience,
            audience_claim=config.jwt_audience_claim,
            scope_claims=config.jwt_scope_claim,
        )
    development = config.environment == DEVELOPMENT
    keys = development_keys(config.secret_key) if development else FixedKeys(())
    return JwtAuthenticator(keys, issuer=ISSUER, audience=config.name)


class Container(DeclarativeContainer):
    config = Dependency(instance_of=Config)

    engines = Singleton(
        Engines.connect,
        config.provided.database_url,
        name=config.provided.name,
        pool_size=config.provided.threads,
        read_url=config.provided.database_read_url,
    )
    clock = Singleton(SystemClock)
    revisions = Singleton(read_revisions)
    database_probe = Singleton(SqlDatabaseProbe, engines.provided.probe, revisions)
    unit_of_work = Singleton(SqlUnitOfWorkFactory, engines, SqlUnitOfWork, database_probe, clock)
    maintenance_windows = Singleton(
        SqlMaintenanceWindows, engines.provided.watch, config.provided.migration_url, source="api"
    )
    authenticator = Singleton(_authenticator, config)

    maintenance_service = Singleton(
        MaintenanceService, maintenance_windows, config.provided.secret_key
    )
    health_service = Singleton(HealthService, database_probe, maintenance_service)
    todo_service = Singleton(TodoService, unit_of_work, clock)


def build_container(config: Config) -> Container:
    """Wire the controllers; a name that no provider has raises CodeError.

    Controllers are wired to one container a process, the last one.
    """
    container = Container(config=config)
    wire(container, operations, controllers)
    return container

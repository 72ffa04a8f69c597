"""The providers that every service has; a project's container derives from this one."""

from typing import Any, TypeVar

from dependency_injector import containers, providers
from dependency_injector.containers import DeclarativeContainer
from dependency_injector.providers import Dependency, Object, Singleton

from chassis.core.absent_database import NoDatabase, NoMaintenanceWindows
from chassis.core.health_service import HealthService
from chassis.core.maintenance_service import MaintenanceService
from chassis.maintenance.revisions import read_revisions
from chassis.maintenance.schema_probe import SqlDatabaseProbe
from chassis.maintenance.sql_maintenance_windows import SqlMaintenanceWindows
from chassis.postgres.engines import Engines
from chassis.settings import DEVELOPMENT, Settings
from chassis.tokens.development_tokens import ISSUER, development_keys
from chassis.tokens.jwt_authenticator import JwtAuthenticator
from chassis.tokens.signing_keys import FixedKeys, PublishedKeys

Kind = TypeVar("Kind", bound=DeclarativeContainer)


def _authenticator(config: Settings) -> JwtAuthenticator:
    """Accept the issuer's tokens; without an issuer, accept development tokens, or none."""
    if config.jwt_jwks_url:
        published = PublishedKeys(config.jwt_jwks_url, f"{config.name}/{config.version}")
        published.read_in_background()  # So that the first request does not wait for the keys.
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


class ServiceContainer(DeclarativeContainer):
    config = Dependency(instance_of=Settings)

    engines = Singleton(
        Engines.connect,
        config.provided.database_url,
        name=config.provided.name,
        pool_size=config.provided.threads,
        read_url=config.provided.database_read_url,
    )
    # A project that replaces this provider uses a database: see `replaces`.
    unit_of_work: providers.Provider[Any] = Object(None)
    revisions = Singleton(read_revisions)
    database_probe = Singleton(SqlDatabaseProbe, engines.provided.probe, revisions)
    readiness_probes = providers.List()  # Probes that the project adds.
    maintenance_windows = Singleton(
        SqlMaintenanceWindows, engines.provided.watch, config.provided.migration_url, source="api"
    )
    authenticator = Singleton(_authenticator, config)
    maintenance_service = Singleton(
        MaintenanceService, maintenance_windows, config.provided.secret_key
    )
    health_service = Singleton(
        HealthService, database_probe, maintenance_service, probes=readiness_probes
    )


# Providers for a container without a unit of work: they need no database.
WITHOUT_DATABASE = {
    # Nobody uses them, so they never connect.
    "engines": Singleton(Engines.connect, "postgresql://", name="nobody", pool_size=1),
    "database_probe": Singleton(NoDatabase),
    "maintenance_windows": Singleton(NoMaintenanceWindows),
}


def replaces(kind: type[Kind]) -> type[Kind]:
    """Make the providers of a derived container replace those with the same name everywhere.

    Without this decorator, inherited providers would keep the base's providers as arguments. A
    container without a `unit_of_work` gets providers that need no database.
    """
    base: type[DeclarativeContainer] = kind.__bases__[0]
    if getattr(kind.providers.get("unit_of_work"), "provides", None) is None:
        for name in WITHOUT_DATABASE.keys() - kind.cls_providers.keys():
            setattr(kind, name, WITHOUT_DATABASE[name])
    own = dict(kind.cls_providers)
    made: type[Kind] = containers.copy(base)(kind)
    places = {id(own[name]): made.providers[name] for name in own if name in base.providers}
    for node in providers.traverse(*made.providers.values()):
        if isinstance(node, providers.Factory | providers.BaseSingleton | providers.List):
            node.set_args(*(places.get(id(value), value) for value in node.args))
        if isinstance(node, providers.Factory | providers.BaseSingleton):
            node.set_kwargs(**{name: places.get(id(v), v) for name, v in node.kwargs.items()})
        elif isinstance(node, providers.ProvidedInstance) and id(node.provides) in places:
            node.set_provides(places[id(node.provides)])
    return made

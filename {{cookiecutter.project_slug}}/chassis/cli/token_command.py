from datetime import timedelta

import click

from chassis.cli.openapi_commands import application_without_database
from chassis.cli.parameters import Duration
from chassis.project import current_project
from chassis.settings import DEVELOPMENT, ConfigError, Settings, load_config


@click.command()
@click.option("--scope", "scopes", multiple=True, help="A scope of the token; all by default.")
@click.option("--subject", default="developer", show_default=True, help="The subject of the token.")
@click.option("--for", "lasts", type=Duration(), default="12h", show_default=True)
def token(scopes: tuple[str, ...], subject: str, lasts: timedelta) -> None:
    """Print a token for development.

    \b
    curl -H "Authorization: Bearer $(python manage.py token)" …
    python manage.py token --scope maintenance:write --for 10m
    """
    from chassis.http.access.policies import scopes_of  # noqa: PLC0415  # No other command needs Flask.
    from chassis.tokens.development_tokens import development_token  # noqa: PLC0415

    project = current_project()
    stored = _stored(project.config_type)
    if not subject.strip():
        raise click.BadParameter("The subject is empty.", param_hint="--subject")
    with application_without_database(load_config(project.config_type)) as app:
        every = scopes_of(app)
    if unknown := sorted(set(scopes) - set(every)):
        raise click.BadParameter(
            f"No operation needs {', '.join(unknown)}; the scopes are {', '.join(every)}.",
            param_hint="--scope",
        )
    made = development_token(
        stored.secret_key,
        audience=stored.name,
        subject=subject,
        scopes=scopes or every,
        lasts=lasts,
    )
    click.echo(made)


def _stored(kind: type[Settings]) -> Settings:
    """The settings. Raise ConfigError unless the service accepts development tokens."""
    stored = load_config(kind, complete=False)
    if stored.environment != DEVELOPMENT:
        raise ConfigError(
            "This command works in development only; in production, the issuer makes the tokens."
        )
    if stored.jwt_jwks_url:
        raise ConfigError("JWT_JWKS_URL is set: the service accepts tokens from JWT_ISSUER only.")
    if not stored.secret_key:
        raise ConfigError(
            "SECRET_KEY is not set, so the service uses a random one. "
            "`python scripts/create_env.py` writes a .env with one."
        )
    return stored

from datetime import timedelta

from flask import Flask

from chassis.http.access.policies import scopes_of
from chassis.tokens.development_tokens import development_token


def token(app: Flask, *scopes: str, subject: str = "tests") -> str:
    """With these scopes; with all that there are, where none is given."""
    config = app.extensions["container"].config()
    return development_token(
        config.secret_key,
        audience=config.name,
        subject=subject,
        scopes=scopes or scopes_of(app),
        lasts=timedelta(hours=1),
    )


def bearer(app: Flask, *scopes: str, subject: str = "tests") -> str:
    return f"Bearer {token(app, *scopes, subject=subject)}"

from datetime import timedelta
from typing import Any

from flask import Flask

from chassis.http.access.policies import scopes_of
from chassis.tokens.development_tokens import development_token


def token(app: Flask, *scopes: str, **claims: Any) -> str:
    """A token with these scopes, or with every scope of the application."""
    config = app.extensions["container"].config()
    usual = {"audience": config.name, "subject": "tests", "lasts": timedelta(hours=1)}
    return development_token(
        config.secret_key, scopes=scopes or scopes_of(app), **{**usual, **claims}
    )


def bearer(app: Flask, *scopes: str, **claims: Any) -> str:
    return f"Bearer {token(app, *scopes, **claims)}"

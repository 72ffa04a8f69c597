"""Entry point for WSGI servers: `python manage.py serve`, or `<any other server> wsgi:app`."""

from src.app import app

__all__ = ["app"]

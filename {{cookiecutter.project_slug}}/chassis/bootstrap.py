import atexit
import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.process import BaseProcess
from threading import Thread
from typing import TYPE_CHECKING

from chassis.core.errors import CodeError
from chassis.postgres.embedded import start_embedded_postgres
from chassis.project import current_project
from chassis.settings import ConfigError, Kind, Settings, load_config

if TYPE_CHECKING:
    from flask import Flask


def load_config_with_database(kind: type[Kind], *, signs: bool = True) -> Kind:
    """The settings. In development without DATABASE_URL, start the embedded PostgreSQL.

    A project that uses no database gets its settings only. Raise ConfigError, or
    EmbeddedPostgresError if PostgreSQL does not start.
    """
    config = load_config(kind, signs=signs)
    if config.database_url or not current_project().uses_database:
        return config
    url = start_embedded_postgres(current_project().embedded_data)
    # Child processes use this database instead of starting one themselves.
    os.environ["DATABASE_URL"] = url
    return replace(config, database_url=url)


def build(create_app: Callable[[Kind], "Flask"], kind: type[Kind]) -> "Flask":
    """Build the application of a server process. Exit with a sentence for a team's mistake."""
    if parent := multiprocessing.parent_process():
        atexit.register(_end)
        Thread(target=_end_after, args=[parent], daemon=True).start()
    try:
        config = load_config_with_database(kind)
        app = create_app(config)
        _require_key(app, config)
    except (CodeError, ConfigError) as error:
        raise SystemExit(f"Error: {error}") from None
    except SyntaxError as error:
        raise SystemExit(f"Error: {no_python(error)}") from None
    return app


def no_python(error: SyntaxError) -> str:
    """The sentence about a module that Python cannot read: in the middle of a merge, say."""
    where = f"{os.path.relpath(str(error.filename))}, line {error.lineno}"
    return f"{where}, is no Python: {error.msg}: {(error.text or '').strip()}"


def _end_after(parent: BaseProcess) -> None:
    """End this process when its parent was killed: else this process would keep the port."""
    # `join` would wait for ever: it watches a pipe whose ends the other processes inherited.
    while os.getppid() == parent.pid:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGTERM)


def _end() -> None:
    """Exit at once: if Python ended the server's threads first, they would panic."""
    logging.shutdown()  # os._exit skips the handler that would do this.
    os._exit(0)


def _require_key(app: "Flask", config: Settings) -> None:
    """Raise ConfigError if SECRET_KEY is missing and a list has to sign its cursors."""
    # Imported late, because commands that only read settings need no Flask.
    from chassis.openapi.description import signs_cursors  # noqa: PLC0415

    if not config.secret_key and signs_cursors(app):
        raise ConfigError("Not set: SECRET_KEY. The cursors of lists need a signature.")

import json
import logging
from io import BytesIO, TextIOWrapper
from typing import Any
from unittest.mock import patch

from flask.testing import FlaskClient

from chassis.development.testing.http_cases import HttpTestCase
from chassis.settings import PRODUCTION
from src.logging import configure_logging
from support.configuration import CONFIG


class LogTestCase(HttpTestCase):
    """The application logs as in production, into memory."""

    def start(self, **settings: Any) -> FlaskClient:
        self.written = BytesIO()
        self.addCleanup(configure_logging, CONFIG)
        # There is no database, and each read of the windows would log that.
        windows = logging.getLogger("chassis.core.maintenance_service")
        self.enterContext(patch.object(windows, "disabled", new=True))
        with patch("sys.stderr", TextIOWrapper(self.written)):
            client = super().start(**{"environment": PRODUCTION, "log_level": "INFO", **settings})
        if client.application.extensions["container"].config().environment == PRODUCTION:
            # Production rejects the tests' token, and would log a line each time.
            del client.environ_base["HTTP_AUTHORIZATION"]
        return client

    @property
    def text(self) -> str:
        self.settle()
        return self.written.getvalue().decode()

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    def settle(self) -> None:
        """Wait until all log lines are written."""
        for handler in logging.getLogger().handlers:
            handler.flush()

    def forget(self) -> None:
        self.settle()
        self.written.seek(0)
        self.written.truncate()

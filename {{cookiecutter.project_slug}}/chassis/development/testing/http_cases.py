from collections.abc import Callable
from typing import Any
from unittest import TestCase

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from chassis.development.testing.bearer import bearer
from chassis.development.testing.database_cases import DatabaseTestCase
from chassis.development.testing.wire import Wire, wire
from chassis.http.output.problem_table import SAME, problem_table
from chassis.project import current_project
from chassis.settings import DEVELOPMENT

SETTINGS: dict[str, Any] = {
    "name": "tests",
    "title": "The Tests",
    "version": "1.2.3",
    "description": "Tested.",
    "environment": DEVELOPMENT,
    "database_url": "postgresql://nobody@127.0.0.1:1/nothing",
    "secret_key": "not a secret, but long enough for one",
    "service_prefix": "prefix",
    "docs_path": "/docs",
    "openapi_path": "/openapi.json",
    "threads": 2,
    "log_level": "ERROR",
    # Higher than a project's own limit, because a suite sends many requests.
    "rate_limit": "1000 per second",
}


def config(**settings: Any) -> Any:
    """The project's settings, with a database that does not answer."""
    return current_project().config_type(**SETTINGS | settings)


class HttpTestCase(TestCase):
    """The application as production builds it, with a database that does not answer.

    The client sends a token with every scope, unless a test sends its own.
    """

    client: FlaskClient

    def setUp(self) -> None:
        super().setUp()
        self.client = self.start()

    def start(self, **settings: Any) -> FlaskClient:
        app = current_project().create_app(config(**settings))
        container = app.extensions["container"]
        self.addCleanup(container.unwire)
        self.addCleanup(container.engines().dispose)
        client: FlaskClient = app.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = bearer(app)
        return client

    def assert_problem(self, response: TestResponse, status: int, slug: str) -> dict[str, Any]:
        self.assertEqual(response.status_code, status, response.text)
        self.assertEqual(response.content_type, "application/problem+json")
        problem: dict[str, Any] = response.get_json(force=True)
        self.assertEqual((problem["status"], problem["type"]), (status, slug))
        self.assertEqual(problem["request_id"], response.headers["X-Request-ID"])
        return problem

    def assert_refused(self, response: TestResponse, status: int, slug: str) -> dict[str, Any]:
        """As assert_problem, with the status and kind that the project's row has for this error."""
        row = problem_table(self.client.application).of_status(status)
        return self.assert_problem(response, *(row if status in SAME else (status, slug)))


class ApplicationTestCase(DatabaseTestCase, HttpTestCase):
    """The application as production builds it, with a migrated database."""

    def start(self, **settings: Any) -> FlaskClient:
        return super().start(**{"database_url": self.database_url, **settings})


class WireTestCase(ApplicationTestCase):
    """An ApplicationTestCase with a proxy that records the messages to the database."""

    wire: Wire

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.wire = cls.enterClassContext(wire(cls.database_url))

    def start(self, **settings: Any) -> FlaskClient:
        client = super().start(**{"database_url": self.wire.url, **settings})
        container = client.application.extensions["container"]
        container.maintenance_service().current()
        for read_only in (False, True):  # Connects before recording begins.
            with container.unit_of_work()(read_only=read_only) as work:
                work.connection.exec_driver_sql("SELECT 1")
        return client

    def assert_asks(self, beginnings: list[str], answered: Callable[[], TestResponse]) -> None:
        """Assert that a request makes exactly these round trips, by how their statements begin."""
        self.wire.begin()
        self.assertLess(answered().status_code, 300)
        round_trips = self.wire.round_trips()
        shown = [
            statement[: len(begins)]
            for statement, begins in zip(round_trips, beginnings, strict=False)
        ]
        self.assertEqual((shown, len(round_trips)), (beginnings, len(beginnings)), round_trips)

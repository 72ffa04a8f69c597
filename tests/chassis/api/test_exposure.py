"""Clients from outside cannot reach metrics, files or internal information."""

from unittest.mock import patch

from chassis.development.testing.http_cases import HttpTestCase
from chassis.development.testing.security_table import shows
from chassis.http.access.policies import operations as operations_of
from chassis.http.access.policies import public
from chassis.openapi.document import operations
from chassis.settings import PRODUCTION

SECRETS = ("access_token", "token", "api_key", "password", "secret")


def fail() -> str:
    raise RuntimeError("inside")


class ExposureTest(HttpTestCase):
    @shows("V13.4.2")
    def test_nobody_turns_debugging_on_in_production(self) -> None:
        with patch.dict("os.environ", {"FLASK_DEBUG": "1"}):
            self.client = self.start(environment=PRODUCTION)
        self.client.application.add_url_rule("/fail", view_func=public(fail))
        with self.assertLogs(self.client.application.logger, "ERROR"):
            response = self.client.get("/fail")
        self.assert_problem(response, 500, "internal")
        self.assertNotIn("inside", response.text)

    @shows("V3.5.3")
    def test_nothing_is_changed_by_a_safe_method(self) -> None:
        for _, method, path, view in operations_of(self.client.application):
            if method in {"GET", "HEAD"}:
                with self.subTest(path):
                    scopes = view.access_policy or ()
                    self.assertEqual([one for one in scopes if one.endswith(":write")], [])

    @shows("V13.4.3")
    def test_no_directory_is_listed(self) -> None:
        for path in ("/docs/", "/docs/assets", "/docs/assets/", "/docs/assets/."):
            with self.subTest(path):
                self.assert_problem(self.client.get(path), 404, "not-found")

    @shows("V14.2.1")
    def test_no_secret_is_taken_from_an_address(self) -> None:
        document = self.client.get("/openapi.json").get_json()
        for path, method, operation in operations(document):
            for parameter in operation.get("parameters", []):
                with self.subTest(f"{method} {path}"):
                    named = parameter.get("in") == "query" and parameter["name"] in SECRETS
                    self.assertFalse(named, parameter)
        for name in SECRETS:
            with self.subTest(name):
                response = self.client.get(f"/health/live?{name}=x")
                self.assert_problem(response, 400, "invalid-query")

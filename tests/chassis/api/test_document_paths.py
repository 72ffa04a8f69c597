"""DOCS_PATH and OPENAPI_PATH set the paths of the page and of the document."""

from typing import Any

from chassis.core.errors import CodeError
from chassis.development.testing.http_cases import HttpTestCase
from chassis.http.access.policies import public
from support.command_line import CommandLineTestCase

PAGE, DOCUMENT = "/api/v1/docs", "/api/v1/openapi.json"
MISCONFIGURED = 78
URL = "postgresql://somebody@127.0.0.1:1/nothing"


class DocumentPathsTest(HttpTestCase):
    def test_they_can_be_anywhere(self) -> None:
        client = self.start(docs_path=PAGE, openapi_path=DOCUMENT)
        self.assertEqual(client.get(DOCUMENT).get_json()["openapi"], "3.1.0")
        page = client.get(PAGE)
        self.assertEqual(page.status_code, 200)
        self.assertIn("script-src 'self'", page.headers["Content-Security-Policy"])
        self.assertIn(f'src="{PAGE}/start.js"', page.text)
        self.assertIn(f'url: "{DOCUMENT}"', client.get(f"{PAGE}/start.js").text)
        asset = client.get(f"{PAGE}/assets/swagger-ui.css")
        self.assertEqual((asset.status_code, asset.content_type[:8]), (200, "text/css"))
        for path in ("/docs", "/openapi.json", "/docs/start.js"):
            self.assert_problem(client.get(path), 404, "not-found")

    def test_they_may_lie_below_the_operations(self) -> None:
        client = self.start(docs_path="/prefix/v1/docs", openapi_path="/prefix/v1/openapi.json")
        document = client.get("/prefix/v1/openapi.json").get_json()
        self.assertNotIn("/prefix/v1/docs", document["paths"])

    def test_a_path_that_an_operation_has_is_refused(self) -> None:
        with self.assertRaisesRegex(CodeError, "GET /health/live would be answered by both"):
            self.start(docs_path="/health/live")

    def test_two_operations_at_one_path_are_refused(self) -> None:
        app: Any = self.client.application
        app.add_url_rule("/health/live", "second", public(lambda: "ok"))
        with self.assertRaisesRegex(CodeError, "answered by both .*second"):
            app.start(proxy_hops=0)


class DocumentPathSettingsTest(CommandLineTestCase):
    def test_what_is_no_path_is_a_sentence(self) -> None:
        for name in ("DOCS_PATH", "OPENAPI_PATH"):
            for value in ("docs", "/", "/docs/", "//docs", "/a b", "/a//b", "/<x>", "/ä", "/a?b"):
                with self.subTest(name=name, value=value):
                    result = self.manage("config", **{name: value})
                    self.assert_stops(result, MISCONFIGURED, f"{name}: Must have the form /docs")

    def test_both_at_one_path_are_refused(self) -> None:
        result = self.manage("routes", DATABASE_URL=URL, DOCS_PATH="/x", OPENAPI_PATH="/x")
        self.assert_stops(result, MISCONFIGURED, "DOCS_PATH and OPENAPI_PATH have to differ")

import json
import re
from copy import deepcopy
from datetime import date
from typing import Any
from uuid import uuid4

from chassis.development.testing.http_cases import HttpTestCase
from chassis.development.testing.security_table import shows
from chassis.http.flow.view_functions import view_of
from chassis.http.input.streamed_body import streams_body
from chassis.http.output.problem_table import OF_HTTP, ProblemTable
from chassis.openapi.breaking import breaking_changes
from chassis.openapi.document import complete, operations, resolve
from src.error_handler import PROBLEMS

TODAY = date(2026, 1, 2)


class OpenApiTest(HttpTestCase):
    document: dict[str, Any]

    def setUp(self) -> None:
        super().setUp()
        self.document = self.client.get("/openapi.json").get_json()

    @shows("API9:2023")
    def test_it_names_this_service_and_its_operations(self) -> None:
        self.assertEqual(self.document["openapi"], "3.1.0")
        self.assertEqual(
            self.document["info"],
            {"title": "The Tests", "version": "1.2.3", "description": "Tested."},
        )
        self.assertIn("/health/ready", self.document["paths"])

    def test_requests_in_other_threads_see_no_part_of_it_that_is_half_made(self) -> None:
        [api] = self.client.application.extensions["flask-smorest"]["apis"].values()
        before = deepcopy(api["ext_obj"].spec.to_dict())
        self.assertEqual(api["ext_obj"].document(), self.document)
        self.assertEqual(api["ext_obj"].spec.to_dict(), before)

    def test_the_operations_of_the_project_come_first_and_no_tag_is_empty(self) -> None:
        paths = list(self.document["paths"])
        own = [path for path in paths if path.startswith("/prefix/")]
        self.assertEqual(paths[: len(own)], own)
        tags = [tag["name"] for tag in self.document["tags"]]
        used = [tag for _, _, one in operations(self.document) for tag in one["tags"]]
        self.assertEqual(tags, list(dict.fromkeys(used)))
        self.assertEqual(tags[-3:], ["health", "maintenance", "maintenance-windows"])

    def test_what_is_answered_is_documented(self) -> None:
        response = self.client.get("/health/ready")
        documented = self.document["paths"]["/health/ready"]["get"]["responses"]["503"]
        found = resolve(self.document, documented)
        self.assertIn("(unavailable,", found["description"])
        self.assertEqual(
            found["content"]["application/problem+json"]["example"].keys(),
            response.get_json(force=True).keys(),
        )
        for name in found["headers"]:
            self.assertIn(name, response.headers)

    def test_every_operation_refuses_a_body_that_is_too_large_and_says_so(self) -> None:
        app = self.client.application
        for path, method, operation in operations(self.document):
            with self.subTest(path, method=method):
                url = re.sub("{[^}]*}", str(uuid4()), path.replace("{window_id}", "1"))
                answer = self.client.open(url, method=method.upper(), data=b" " * 1_000_001)
                endpoint, _ = app.url_map.bind("").match(url, method.upper())
                if not streams_body(view_of(app, endpoint, method)):
                    self.assert_problem(answer, 413, "payload-too-large")
                self.assertIn("413", operation["responses"])

    def test_to_document_an_answer_that_was_given_before_breaks_no_client(self) -> None:
        earlier = deepcopy(self.document)
        for _, method, operation in operations(earlier):
            operation["responses"] = {
                status: answer
                for status, answer in operation["responses"].items()
                if status not in {"412", "413"}
            }
            kept = operation.get("parameters", [])
            operation["parameters"] = [
                one for one in kept if method != "get" or not one.get("$ref", "").endswith("Match")
            ]
        self.assertNotEqual(earlier, self.document)
        self.assertEqual(breaking_changes(earlier, self.document, TODAY), [])
        self.assertNotEqual(breaking_changes(self.document, {"paths": {}}, TODAY), [])

    def test_every_kind_of_error_is_documented(self) -> None:
        text = json.dumps(self.document["components"]["responses"])
        # No operation answers these: a method that a path has not is none, for example.
        undocumented = {405, 406, 410, 416, 428}
        for status, kind in {*PROBLEMS.values(), *OF_HTTP}:
            with self.subTest(kind):
                found = re.search(rf"[(, ]{kind}[,)]", text)
                self.assertEqual(found is None, status in undocumented)

    def test_no_parameter_is_said_to_be_null(self) -> None:
        schema: dict[str, Any] = {"type": ["string", "null"], "default": None}
        parameters = [{"in": "query", "name": "x", "schema": schema}]
        operation = {"operationId": "x", "parameters": parameters, "responses": {}}
        schemas: dict[str, Any] = {"schemas": {"Problem": {}}}
        table = ProblemTable(PROBLEMS)
        complete({"paths": {"/x": {"get": operation}}, "components": schemas, "tags": []}, table)
        self.assertEqual(schema, {"type": "string"})

    def test_the_page_and_all_that_it_loads_come_from_here(self) -> None:
        page = self.client.get("/docs").text
        self.assertIn("<title>The Tests</title>", page)
        self.assertNotRegex(page, "https?://")
        loaded = re.findall('(?:href|src)="([^"]+)"', page)
        self.assertIn("/docs/assets/swagger-ui-bundle.js", loaded)
        for path in loaded:
            with self.subTest(path), self.client.get(path) as response:
                self.assertEqual(response.status_code, 200)
        self.assertIn('url: "/openapi.json"', self.client.get("/docs/start.js").text)

"""openapi.json is consistent, whatever operations the service has."""

import json
import re
from collections.abc import Iterator
from typing import Any

from openapi_spec_validator import OpenAPIV31SpecValidator

from chassis.development.testing.declared_fields import oversized, repositories
from chassis.development.testing.http_cases import HttpTestCase
from chassis.openapi.document import operations, resolve
from chassis.project import current_project


class ApiDocumentSuite(HttpTestCase):
    document: dict[str, Any]

    def setUp(self) -> None:
        super().setUp()
        self.document = self.client.get("/openapi.json").get_json()

    def test_it_is_valid(self) -> None:
        """The document obeys the schema of OpenAPI 3.1, each schema in it that of JSON Schema."""
        errors = [
            f"{place(self.document, error)}: {error.message}. A bound, an example or a "
            "default has to have the JSON type of its field."
            for error in OpenAPIV31SpecValidator(self.document).iter_errors()
        ]
        self.assertEqual(errors, [])

    def test_no_field_takes_what_its_column_cannot_hold(self) -> None:
        app = self.client.application
        unit_of_work = app.extensions["container"].unit_of_work()
        # A project without a database has no unit of work, and so no columns.
        stored = repositories(unit_of_work._kind) if unit_of_work else {}
        self.assertEqual(oversized(app, stored), [])

    def test_operations_have_names_of_their_own(self) -> None:
        names = [operation["operationId"] for _, _, operation in operations(self.document)]
        self.assertCountEqual(names, set(names))

    def test_every_error_is_a_problem_with_an_example_of_it(self) -> None:
        for path, method, operation in operations(self.document):
            self.assertNotIn("default", operation["responses"])
            for status, declared in operation["responses"].items():
                response = resolve(self.document, declared)
                with self.subTest(f"{method} {path} {status}"):
                    self.assertIn("X-Request-ID", response["headers"])
                    if status in {"204", "304"}:
                        self.assertNotIn("content", response)
                    if status < "400":
                        continue
                    [(content_type, content)] = response["content"].items()
                    self.assertEqual(content_type, "application/problem+json")
                    self.assertEqual(content["example"]["status"], int(status))
                    schema = resolve(self.document, content["schema"])
                    self.assertLessEqual(set(schema["required"]), content["example"].keys())

    def test_every_reference_leads_somewhere_and_every_component_is_used(self) -> None:
        text = json.dumps(self.document)
        used = set(re.findall(r'"#/components/(\w+)/([\w-]+)"', text))
        there = {
            (kind, name)
            for kind, members in self.document["components"].items()
            for name in members
            if kind != "securitySchemes"
        }
        self.assertEqual(used, there)

    def test_the_committed_document_is_of_this_project(self) -> None:
        committed = json.loads(current_project().document.read_text("utf-8"))
        about = current_project().about
        del about["name"]
        self.assertEqual(committed["info"], about)


def place(document: Any, error: Any) -> str:
    """Return the place of an error. In a schema, jsonschema gives a path from that schema on."""

    def holds(node: Any) -> bool:
        try:
            for part in error.absolute_path:
                node = node[part]
        except (IndexError, KeyError, TypeError):
            return False
        return bool(node == error.instance)

    def walk(node: Any, at: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
        if holds(node):
            yield at
        inner = node.items() if isinstance(node, dict) else ()
        for name, one in enumerate(node) if isinstance(node, list) else inner:
            yield from walk(one, (*at, name))

    path = (*next(walk(document, ()), ()), *error.absolute_path)
    return "/".join(map(str, path))

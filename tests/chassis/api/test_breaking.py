"""`openapi breaking` finds the changes of a document that break older clients."""

from copy import deepcopy
from datetime import date
from json import dumps, loads
from typing import Any
from unittest import TestCase

from chassis.openapi.breaking import breaking_changes
from chassis.openapi.headers import PARAMETERS
from chassis.schemas import fields
from chassis.schemas.sort import Sort

TODAY = date(2026, 1, 2)
INNER = {"$ref": "#/components/schemas/Inner"}
FIELDS: dict[str, Any] = {
    "text": {"type": "string", "minLength": 1, "maxLength": 20},
    "kind": {"type": ["string", "null"], "enum": ["a", "b", None]},
    "count": {"type": "number"},
    "inner": {"anyOf": [INNER, {"type": "null"}]},
    "list": {"type": "array", "items": {"type": "string", "format": "uuid"}},
}
JSON = "application/json"
DOCUMENT: dict[str, Any] = {
    "paths": {
        "/things": {
            "parameters": [{"in": "query", "name": "limit", "schema": {"type": "integer"}}],
            "post": {
                "operationId": "create_thing",
                "requestBody": {"content": {JSON: {"schema": {"$ref": "#/components/schemas/In"}}}},
                "responses": {
                    "201": {
                        "headers": {"Location": {}},
                        "content": {JSON: {"schema": {"$ref": "#/components/schemas/Out"}}},
                    },
                    "409": {},
                },
            },
        }
    },
    "components": {
        "schemas": {
            "In": {"type": "object", "properties": FIELDS, "required": ["text"]},
            "Out": {"type": "object", "properties": FIELDS, "required": ["text"]},
            "Inner": {
                "type": "object",
                "properties": {"self": INNER, "x": {}},
            },
        }
    },
}
ROOTS = {
    "path": ("paths", "/things"),
    "operation": ("paths", "/things", "post"),
    "taken": ("components", "schemas", "In"),
    "given": ("components", "schemas", "Out"),
    "inner": ("components", "schemas", "Inner"),
}
GONE = object()
Change = tuple[str, Any]  # The place in the document, and its new value.


def changed(change: Change) -> list[str]:
    place, value = change
    root, *keys = place.split(".")
    now = found = loads(dumps(DOCUMENT))
    *above, last = [*ROOTS[root], *keys]
    for key in above:
        found = found[key]
    if value is GONE:
        del found[last]
    else:
        found[last] = value
    return breaking_changes(DOCUMENT, now, TODAY)


OTHERS = [{"in": "query", "name": "limit", "required": True, "schema": {"type": "integer"}}]
BREAKING: dict[str, Change] = {
    "POST /things: it is gone": ("path.post", GONE),
    "operationId is other, not create_thing": ("operation.operationId", "other"),
    "query parameter limit is gone": ("path.parameters", []),
    "query parameter limit is required now": ("path.parameters", OTHERS),
    "it needs another authentication": ("operation.security", [{"bearer": []}]),
    "a body is required now": ("operation.requestBody.required", True),
    "takes: application/json is gone": ("operation.requestBody.content", {}),
    "201: the status is gone": ("operation.responses", {"200": {}}),
    "201: the header Location is gone": ("operation.responses.201.headers", {}),
    "201: application/json is gone": ("operation.responses.201.content", {"text/plain": {}}),
    "takes/count: it is required now": ("taken.required", ["text", "count"]),
    "takes/kind: it is gone": ("taken.properties.kind", GONE),
    "takes/text: maxLength is 19, not 20": ("taken.properties.text.maxLength", 19),
    "takes/text: minLength is 2, not 1": ("taken.properties.text.minLength", 2),
    "takes/text: pattern is x, not unlimited": ("taken.properties.text.pattern", "x"),
    "takes/count: it is no longer number": ("taken.properties.count.type", "integer"),
    "takes/kind: it is no longer null": ("taken.properties.kind.type", "string"),
    "takes/kind: fewer values are accepted": ("taken.properties.kind.enum", ["a", None]),
    "takes/inner: it is no longer null": ("taken.properties.inner.anyOf", [INNER]),
    "takes/list/*: its format is date, not uuid": ("taken.properties.list.items.format", "date"),
    "takes: unknown fields are refused now": ("taken.additionalProperties", False),
    "201/kind: it is gone": ("given.properties.kind", GONE),
    "201/text: it may be missing": ("given.required", []),
    "201/count: it may now be string": ("given.properties.count.type", ["number", "string"]),
    "201/kind: it may have other values": ("given.properties.kind.enum", ["a", "c", None]),
    "201/list/*: its format is None, not uuid": ("given.properties.list.items.format", GONE),
    "201/inner/x: it is gone": ("inner.properties.x", GONE),
    "201/inner: its anyOf, oneOf, allOf or $ref differs": (
        "given.properties.inner.anyOf",
        [INNER, {}],
    ),
}
HARMLESS: dict[str, Change] = {
    "another operation": ("path.get", {"responses": {}}),
    "another parameter": ("operation.parameters", [{"in": "query", "name": "sort", "schema": {}}]),
    "an optional field": ("taken.properties.new", {"type": "string"}),
    "a field in the answer": ("given.properties.new", {"type": "string"}),
    "a field that was required": ("taken.required", []),
    "a field that is always there": ("given.required", ["text", "count"]),
    "a wider limit": ("taken.properties.text.maxLength", 21),
    "no limit": ("taken.properties.text.maxLength", GONE),
    "more values taken": ("taken.properties.kind.enum", ["a", "b", "c", None]),
    "fewer values given": ("given.properties.kind.enum", ["a"]),
    "a narrower type given": ("given.properties.count.type", "integer"),
    "an error that does not occur": ("operation.responses.409", GONE),
    "another error": ("operation.responses.429", {}),
    "another description": ("operation.description", "Creates one."),
}


def decimal(digits: int, places: int, **bounds: int) -> dict[str, Any]:
    return dict(fields.Decimal(digits=digits, places=places, **bounds).metadata)


# The rules that differ, a schema, and one that accepts more.
BOUNDS: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = (
    ("pattern", decimal(8, 2), decimal(12, 2)),
    ("pattern", decimal(8, 2), decimal(9, 3)),
    ("pattern", decimal(8, 0), decimal(10, 2)),
    ("pattern", decimal(2, 2), decimal(3, 2)),
    ("x-maximum", decimal(9, 2, maximum=9), decimal(9, 2, maximum=10)),
    ("x-minimum", decimal(9, 2, minimum=-9), decimal(9, 2, minimum=-10)),
    ("x-maximum", decimal(9, 2, maximum=9), decimal(9, 2)),
    ("x-maximum", {"x-maximum": "2026-01-31T00:00:00Z"}, {"x-maximum": "2026-02-01T00:00:00Z"}),
    ("x-maximum-bytes", {"x-maximum-bytes": 900}, {"x-maximum-bytes": 1000}),
    ("x-maximum-depth", {"x-maximum-depth": 4}, {"x-maximum-depth": 5}),
    ("minimum", {"minimum": 0}, {"minimum": -1}),
    ("minItems", {"minItems": 1}, {"minItems": 0}),
    ("minLength", {"minLength": 1}, {}),
    ("multipleOf", {"multipleOf": 0.1}, {"multipleOf": 0.01}),
    ("uniqueItems", {"uniqueItems": True}, {"uniqueItems": False}),
)


def bounded(schema: str, was: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What breaks if `x` has other bounds in the schema that is taken, or in that given."""
    documents = loads(dumps(DOCUMENT)), loads(dumps(DOCUMENT))
    for document, bounds in zip(documents, (was, now), strict=True):
        document["components"]["schemas"][schema]["properties"]["x"] = bounds
    return breaking_changes(*documents, TODAY)


class BreakingChangesTest(TestCase):
    def test_what_breaks_is_named_and_nothing_else(self) -> None:
        for expected, change in BREAKING.items():
            with self.subTest(expected):
                *others, found = changed(change)
                self.assertTrue(found.endswith(expected), found)
                # A schema that requests and responses share is reported for both.
                self.assertEqual(len(others), change[0].startswith("inner"), others)

    def test_what_breaks_nobody_is_let_pass(self) -> None:
        for name, change in HARMLESS.items():
            with self.subTest(name):
                self.assertEqual(changed(change), [])

    def test_a_list_may_be_sorted_by_more_and_not_by_less(self) -> None:
        def document(*names: str) -> dict[str, Any]:
            schema = {"type": "string", "pattern": Sort(None, *names).metadata["pattern"]}
            made = deepcopy(DOCUMENT)
            made["paths"]["/things"]["parameters"] = [
                {"in": "query", "name": "sort", "schema": schema}
            ]
            return made

        for now, breaks in (
            ("ab", False),
            ("ba", False),
            ("bca", False),
            ("a", True),
            ("ac", True),
        ):
            with self.subTest(now):
                found = breaking_changes(document("a", "b"), document(*now), TODAY)
                self.assertEqual(bool(found), breaks, found)

    def test_a_bound_of_what_is_sent_may_widen_and_not_narrow(self) -> None:
        """A client reads what was stored, so a wider bound in an answer is none of its own."""
        for rules, narrow, wide in BOUNDS:
            with self.subTest(f"{narrow} to {wide}"):
                self.assertEqual(bounded("In", narrow, wide), [])
                found = bounded("In", wide, narrow)
                self.assertEqual([line.split()[3] for line in found], rules.split())
                self.assertEqual(bounded("Out", narrow, wide), [])
                self.assertEqual(bounded("Out", wide, narrow), [])

    def test_patterns_of_earlier_versions_give_way_to_those_of_this_one(self) -> None:
        """A project that updates the template cannot bring such keys and addresses back."""
        key = PARAMETERS["Idempotency-Key"]["schema"]["pattern"]
        email = fields.Email().metadata["pattern"]
        of_1_0 = r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$"
        for was, now in (("^[!-~]{1,255}$", key), (of_1_0, email)):
            with self.subTest(was):
                self.assertEqual(bounded("In", {"pattern": was}, {"pattern": now}), [])
                self.assertNotEqual(bounded("In", {"pattern": was[:-2]}, {"pattern": now}), [])

    def test_a_deprecated_operation_may_go_after_its_sunset(self) -> None:
        for sunset, may_go in (("2026-01-02", True), ("2026-01-03", False), (None, False)):
            was = deepcopy(DOCUMENT)
            was["paths"]["/things"]["post"]["deprecated"] = True
            if sunset:
                was["paths"]["/things"]["post"]["x-sunset"] = sunset
            with self.subTest(sunset):
                self.assertEqual(breaking_changes(was, {"paths": {}}, TODAY) == [], may_go)

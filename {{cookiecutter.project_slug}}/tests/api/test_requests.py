"""What every operation gets from src/api, shown on a resource that only these tests have."""

from typing import Any
from uuid import UUID

from marshmallow import Schema, fields

from src.api.requests import Blueprint, PageArguments
from src.api.responses import created, page
from src.api.schemas.fields import Cursor, Text
from tests.support.application import HttpTestCase
from tests.support.memory import MemoryRepository
from tests.support.specimens import Specimen


class SpecimenSchema(Schema):
    id = fields.UUID(dump_only=True)
    text = Text(max_length=20, required=True)


class SpecimenPage(Schema):
    items = fields.List(fields.Nested(SpecimenSchema))
    next = Cursor(allow_none=True)


def blueprint(specimens: MemoryRepository[Specimen]) -> Blueprint:
    blueprint = Blueprint("specimens", __name__, url_prefix="/specimens")

    @blueprint.post("")
    @blueprint.arguments(SpecimenSchema)
    @blueprint.response(201, SpecimenSchema)
    def create_specimen(body: dict[str, Any]) -> tuple[Specimen, dict[str, str]]:
        specimen = Specimen(**body)
        specimens.add(specimen)
        return created(specimen, f"/specimens/{specimen.id}")

    @blueprint.get("")
    @blueprint.arguments(PageArguments, location="query")
    @blueprint.response(200, SpecimenPage)
    def list_specimens(arguments: dict[str, Any]) -> dict[str, Any]:
        return page(specimens.page, **arguments)

    return blueprint


class RequestsTest(HttpTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.specimens = MemoryRepository[Specimen]({})
        [api] = self.client.application.extensions["flask-smorest"]["apis"].values()
        api["ext_obj"].register_blueprint(blueprint(self.specimens))

    def create(self, text: str) -> UUID:
        response = self.client.post("/specimens", json={"text": text})
        self.assertEqual(response.status_code, 201, response.text)
        self.assertEqual(response.headers["Location"], f"/specimens/{response.get_json()['id']}")
        return UUID(response.get_json()["id"])

    def test_text_comes_back_as_it_went_in(self) -> None:
        text = " Läuft „gut“ 🎉 "
        self.assertEqual(self.specimens.get(self.create(text)).text, text)

    def test_a_bad_body_is_refused_with_the_place_of_the_mistake(self) -> None:
        for body, pointer in (
            ({}, "/text"),
            ({"text": ""}, "/text"),
            ({"text": "x" * 21}, "/text"),
            ({"text": "a\0b"}, "/text"),
            ({"text": "\ud800"}, "/text"),
            ({"text": 1}, "/text"),
            ({"text": None}, "/text"),
            ({"text": "x", "id": "1"}, "/id"),
            ({"text": "x", "a/b~c": 1}, "/a~1b~0c"),
            ([], ""),
        ):
            with self.subTest(body):
                response = self.client.post("/specimens", json=body)
                problem = self.assert_problem(response, 422, "validation")
                self.assertEqual([error["pointer"] for error in problem["errors"]], [pointer])
        self.assertEqual(self.specimens.page(limit=1), [])

    def test_a_body_that_is_not_json_is_refused(self) -> None:
        deep, long = "[" * 100_000, '{"text": %s}' % ("1" * 5000)
        for body in ("{", '{"text": "x"} {}', b"\xff", deep, long):
            with self.subTest(body):
                response = self.client.post(
                    "/specimens", data=body, content_type="application/json"
                )
                self.assert_problem(response, 400, "malformed-body")

    def test_a_body_of_another_type_is_refused(self) -> None:
        for content_type in ("text/plain", "application/x-www-form-urlencoded", None):
            with self.subTest(content_type):
                response = self.client.post("/specimens", data="{}", content_type=content_type)
                self.assert_problem(response, 415, "unsupported-media-type")

    def test_pages_follow_one_another(self) -> None:
        ids = sorted(self.create(text) for text in "abc")
        first = self.client.get("/specimens?limit=2").get_json()
        second = self.client.get(f"/specimens?limit=2&cursor={first['next']}").get_json()
        self.assertIsNone(second["next"])
        found = [UUID(specimen["id"]) for specimen in first["items"] + second["items"]]
        self.assertEqual(found, ids)

    def test_a_bad_page_is_refused(self) -> None:
        for query in ("limit=0", "limit=101", "limit=x", "cursor=forged", "sort=text"):
            with self.subTest(query):
                response = self.client.get(f"/specimens?{query}")
                problem = self.assert_problem(response, 422, "validation")
                name = query.partition("=")[0]
                self.assertEqual([error["parameter"] for error in problem["errors"]], [name])

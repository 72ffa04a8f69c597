"""Lists are sorted, filtered and paged, on a resource of the tests."""

from typing import Any

from marshmallow import Schema

from chassis.core.paging import PageQuery
from chassis.development.testing.http_cases import HttpTestCase
from chassis.development.testing.memory import MemoryRepository
from chassis.development.testing.security_table import shows
from chassis.http.flow.blueprint import Blueprint
from chassis.http.output.pages import page
from chassis.schemas import fields
from chassis.schemas.fields import Cursor, Integer
from chassis.schemas.sort import Sort
from src.api.requests import PageArguments
from support.specimens import Specimen

ROWS = [("a", 1), ("b", 2), ("c", 1), ("d", 2), ("e", 1)]


class SpecimenQuery(PageArguments):
    sort = Sort(text="text", age="version")
    version = Integer()


class SpecimenOutput(Schema):
    text = fields.String()


class SpecimenPage(Schema):
    items = fields.List(fields.Nested(SpecimenOutput))
    next = Cursor(allow_none=True)


class PagesTest(HttpTestCase):
    def setUp(self) -> None:
        super().setUp()
        specimens = MemoryRepository[Specimen]({})
        for text, version in ROWS:
            specimens.add(Specimen(text=text, version=version))
        blueprint = Blueprint("specimens", __name__, url_prefix="/specimens")

        @blueprint.get("")
        @blueprint.public
        @blueprint.arguments(SpecimenQuery, location="query")
        @blueprint.response(200, SpecimenPage)
        def list_specimens(query: PageQuery) -> dict[str, Any]:
            return page(specimens.page, query)

        [api] = self.client.application.extensions["flask-smorest"]["apis"].values()
        api["ext_obj"].register_blueprint(blueprint)

    def read(self, **arguments: Any) -> Any:
        response = self.client.get("/specimens", query_string=arguments)
        self.assertEqual(response.status_code, 200, response.text)
        return response.get_json()

    def walk(self, **arguments: Any) -> str:
        found = self.read(limit=2, **arguments)
        texts = [item["text"] for item in found["items"]]
        while found["next"]:
            found = self.read(limit=2, cursor=found["next"], **arguments)
            texts += [item["text"] for item in found["items"]]
        return "".join(texts)

    def test_pages_follow_one_another_in_the_order_that_is_asked_for(self) -> None:
        for sort, expected in (
            ("-text", "edcba"),
            ("-age,text", "bdace"),
            ("age,-text", "ecadb"),
            ("text,-text", "abcde"),
        ):
            with self.subTest(sort):
                self.assertEqual(self.walk(sort=sort), expected)

    def test_a_declared_filter_is_kept_over_all_pages(self) -> None:
        self.assertEqual(self.walk(version=1, sort="text"), "ace")
        self.assertEqual(self.walk(version=1, sort="-text"), "eca")

    def test_a_last_page_that_is_full_has_no_next(self) -> None:
        self.assertIsNone(self.read(limit=2, version=2)["next"])

    @shows("V1.2.4")
    def test_an_unknown_name_is_answered_with_those_that_there_are(self) -> None:
        for sort in ("title", "", "-", "text,", "text desc", "+text", "id;--", "--text", "TEXT"):
            with self.subTest(sort):
                response = self.client.get("/specimens", query_string={"sort": sort})
                [error] = self.assert_problem(response, 422, "validation")["errors"]
                self.assertEqual(error["parameter"], "sort")
                self.assertIn("text, age", error["detail"])

    @shows("V2.2.3")
    def test_a_cursor_belongs_to_its_sort_and_filter(self) -> None:
        cursor = self.read(limit=1, sort="text", version=1)["next"]
        self.assertEqual(self.read(cursor=cursor, sort="text", version=1)["items"][0]["text"], "c")
        for arguments in ({}, {"sort": "text"}, {"sort": "-text", "version": 1}, {"version": 1}):
            with self.subTest(arguments):
                response = self.client.get(
                    "/specimens", query_string={"cursor": cursor} | arguments
                )
                [error] = self.assert_problem(response, 400, "invalid-query")["errors"]
                self.assertEqual(error["parameter"], "cursor")

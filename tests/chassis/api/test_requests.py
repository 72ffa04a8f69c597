"""Every operation gets parsing, errors and headers from the chassis, on a resource of the tests."""

from io import BytesIO
from typing import Any
from uuid import UUID

from flask import request

from chassis.core.paging import PageQuery
from chassis.development.testing.http_cases import HttpTestCase
from chassis.development.testing.memory import MemoryRepository
from chassis.development.testing.security_table import shows
from chassis.http.flow.blueprint import Blueprint
from chassis.http.output.pages import page
from chassis.schemas import fields
from chassis.schemas.base import Schema
from src.api.requests import PageArguments
from src.api.responses import created
from support.specimens import Specimen

JSON = "application/json"
UNEXPECTED = (
    *(b'{"reason": "late"}', b"[]", b"null", b"{", b"x=1", b"\xff"),
    b"{}" + b" " * 99_999 + b"{}",
)


class SpecimenSchema(Schema):
    id = fields.UUID(dump_only=True)
    text = fields.Text(max_length=20, required=True)


class SpecimenPage(Schema):
    items = fields.List(fields.Nested(SpecimenSchema))
    next = fields.Cursor(allow_none=True)


def blueprint(specimens: MemoryRepository[Specimen]) -> Blueprint:
    blueprint = Blueprint("specimens", __name__, url_prefix="/specimens")

    @blueprint.post("")
    @blueprint.public
    @blueprint.arguments(SpecimenSchema)
    @blueprint.response(201, SpecimenSchema)
    def create_specimen(body: dict[str, Any]) -> tuple[Specimen, dict[str, str]]:
        specimen = Specimen(**body)
        specimens.add(specimen)
        return created(specimen, f"/specimens/{specimen.id}")

    @blueprint.get("")
    @blueprint.public
    @blueprint.arguments(PageArguments, location="query")
    @blueprint.response(200, SpecimenPage)
    def list_specimens(query: PageQuery) -> dict[str, Any]:
        return page(specimens.page, query)

    return blueprint


class RequestsTest(HttpTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.specimens = MemoryRepository[Specimen]({})
        [api] = self.client.application.extensions["flask-smorest"]["apis"].values()
        api["ext_obj"].register_blueprint(blueprint(self.specimens))

    def test_the_charset_may_be_named_as_clients_do(self) -> None:
        for charset in ("utf-8", "UTF-8", "utf8", "UTF8", '"utf-8"', '"utf8"'):
            with self.subTest(charset):
                sent = {"Content-Type": f"application/json;charset={charset}"}
                response = self.client.post("/specimens", data='{"text": "ü"}', headers=sent)
                self.assertEqual(response.status_code, 201, response.text)

    def create(self, text: str) -> UUID:
        response = self.client.post("/specimens", json={"text": text})
        self.assertEqual(response.status_code, 201, response.text)
        self.assertEqual(response.headers["Location"], f"/specimens/{response.get_json()['id']}")
        return UUID(response.get_json()["id"])

    def assert_nothing_created(self) -> None:
        self.assertEqual(self.specimens.page(PageQuery(limit=1)), [])

    def test_text_comes_back_as_it_went_in(self) -> None:
        text = " Läuft „gut“ 🎉 "
        self.assertEqual(self.specimens.get(self.create(text)).text, text)

    def test_what_looks_the_same_is_the_same(self) -> None:
        self.assertEqual(self.specimens.get(self.create("e\u0301")).text, "\u00e9")

    @shows("API3:2023", "V1.3.3", "V1.5.2", "V2.2.1", "V8.2.3", "V15.3.3", "V15.3.5")
    def test_a_bad_body_is_refused_with_the_place_and_the_kind_of_the_mistake(self) -> None:
        for body, pointer, code in (
            ({}, "/text", "required"),
            ({"text": ""}, "/text", "length"),
            ({"text": "x" * 21}, "/text", "length"),
            ({"text": "ä" * 81}, "/text", "length"),
            ({"text": "a\0b"}, "/text", "character"),
            ({"text": "\ud800"}, "/text", "character"),
            ({"text": "a" + "\u0301" * 31}, "/text", "marks"),
            ({"text": 1}, "/text", "invalid"),
            ({"text": None}, "/text", "null"),
            ({"text": "x", "id": "1"}, "/id", "unknown"),
            ({"text": "x", "__class__": "1"}, "/__class__", "unknown"),
            ({"text": "x", "a/b~c": 1}, "/a~1b~0c", "unknown"),
            ({"text": "x", "\ud800": 1}, "/\ufffd", "unknown"),
            ({"text": "x", "a\udc00/b": 1}, "/a\ufffd~1b", "unknown"),
            ({"text": "x", "\udc00\ud83c": 1}, "/\ufffd\ufffd", "unknown"),
            ({"text": "x", "\U0001f389": 1}, "/\U0001f389", "unknown"),
            ([], "", "type"),
        ):
            with self.subTest(body):
                response = self.client.post("/specimens", json=body)
                [error] = self.assert_problem(response, 422, "validation")["errors"]
                self.assertEqual((error["pointer"], error["code"]), (pointer, code))
        self.assert_nothing_created()

    @shows("API4:2023", "V15.2.2")
    def test_an_answer_is_not_many_times_as_long_as_the_request(self) -> None:
        response = self.client.post("/specimens", json=dict.fromkeys(map(str, range(1000))))
        self.assertEqual(len(self.assert_problem(response, 422, "validation")["errors"]), 100)

    @shows("V2.2.1")
    def test_a_body_that_is_not_json_is_refused(self) -> None:
        for body in (
            b"",
            b"{",
            b'{"text": "x",}',
            b'{"text": "x"} {}',
            b'{"text": "\n"}',
            b'{"text": "\xff"}',
            b'\xef\xbb\xbf{"text": "x"}',
            '{"text": "x"}'.encode("utf-16"),
            b'{"text": "x", "text": "x"}',
            b'{"text": NaN}',
            b'{"text": -Infinity}',
            b'{"text": 1e400}',
            b'{"text": %s}' % (b"1" * 5000),
            b"[" * 65 + b"]" * 65,
            b"[" * 100_000,
        ):
            with self.subTest(body[:30]):
                response = self.client.post("/specimens", data=body, content_type=JSON)
                self.assert_problem(response, 400, "malformed-body")
        self.assert_nothing_created()

    def test_brackets_within_text_are_no_nesting(self) -> None:
        response = self.client.post("/specimens", json={"text": "x", '"[' * 100: 0})
        self.assert_problem(response, 422, "validation")

    @shows("V3.5.2")
    def test_a_body_of_another_type_is_refused(self) -> None:
        for content_type in (None, "text/plain", "application/x+json", f"{JSON}; charset=latin-1"):
            with self.subTest(content_type):
                response = self.client.post(
                    "/specimens", data='{"text": "x"}', content_type=content_type
                )
                self.assert_problem(response, 415, "unsupported-media-type")
        coded = {"Content-Encoding": "gzip"}
        response = self.client.post("/specimens", json={"text": "x"}, headers=coded)
        self.assert_problem(response, 415, "unsupported-media-type")
        self.assert_nothing_created()
        response = self.client.post(
            "/specimens", data='{"text": "x"}', content_type=f"{JSON}; charset=UTF-8"
        )
        self.assertEqual(response.status_code, 201)

    def test_pages_follow_one_another(self) -> None:
        ids = sorted(self.create(text) for text in "abc")
        first = self.client.get("/specimens?limit=2").get_json()
        second = self.client.get(f"/specimens?limit=2&cursor={first['next']}").get_json()
        self.assertIsNone(second["next"])
        found = [UUID(specimen["id"]) for specimen in first["items"] + second["items"]]
        self.assertEqual(found, ids)

    @shows("API4:2023")
    def test_a_bad_page_is_refused(self) -> None:
        for limit in ("0", "-1", "101", "1e9", "x", "", "1.0", "1_0", "%201", "+1", "01", "%D9%A1"):
            with self.subTest(limit):
                response = self.client.get(f"/specimens?limit={limit}")
                [error] = self.assert_problem(response, 422, "validation")["errors"]
                self.assertEqual(error["parameter"], "limit")

    @shows("V2.2.1", "V15.3.7")
    def test_a_query_that_is_not_declared_is_refused(self) -> None:
        for query, codes in (
            ("cursor=forged", ["cursor"]),
            ("cursor=%c3%a9.%c3%a9", ["cursor"]),
            ("sort=text", ["unknown"]),
            ("limit=1&limit=1", ["repeated"]),
            ("limit=1&__class__=&x", ["unknown", "unknown"]),
            ("limit=%ff", []),
            ("%ff", []),
            ("limit=%00", []),
        ):
            with self.subTest(query):
                problem = self.assert_problem(
                    self.client.get(f"/specimens?{query}"), 400, "invalid-query"
                )
                self.assertEqual([error["code"] for error in problem.get("errors", [])], codes)
        for path in ("/specimens?limit=1", "/health/live?limit=1"):
            with self.subTest(path):
                response = self.client.open(path, method="POST" if "spec" in path else "GET")
                self.assert_problem(response, 400, "invalid-query")


class UnexpectedBodiesTest(HttpTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.acted: list[bytes] = []
        blueprint = Blueprint("actions", __name__, url_prefix="/actions")

        @blueprint.route("", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
        @blueprint.public
        @blueprint.response(204)
        def act() -> None:
            self.acted.append(b"")

        @blueprint.post("/page")
        @blueprint.public
        @blueprint.arguments(PageArguments, location="query")
        @blueprint.response(204)
        def act_on_a_page(query: PageQuery) -> None:
            self.acted.append(str(query).encode())

        @blueprint.post("/raw")
        @blueprint.public
        @blueprint.doc(requestBody={"content": {"text/plain": {"schema": {"type": "string"}}}})
        @blueprint.response(204)
        def act_on_what_the_document_describes() -> None:
            self.acted.append(request.get_data())

        [api] = self.client.application.extensions["flask-smorest"]["apis"].values()
        api["ext_obj"].register_blueprint(blueprint)

    def test_an_operation_without_a_body_ignores_none(self) -> None:
        for path, method in (
            ("/actions", "POST"),
            ("/actions", "PUT"),
            ("/actions", "PATCH"),
            ("/actions/page?limit=1", "POST"),
        ):
            for body in UNEXPECTED:
                for content_type in (JSON, "text/plain", None):
                    with self.subTest(method, path=path, body=body[:20], content_type=content_type):
                        response = self.client.open(
                            path, method=method, data=body, content_type=content_type
                        )
                        problem = self.assert_problem(response, 400, "malformed-body")
                        self.assertEqual(problem["detail"], "This operation takes no body.")
        chunks = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
        chunks["wsgi.input"] = BytesIO(UNEXPECTED[0])
        response = self.client.post("/actions", environ_overrides=chunks)
        self.assert_problem(response, 400, "malformed-body")
        self.assertEqual(self.acted, [])

    def test_a_body_that_says_nothing_is_none(self) -> None:
        """Many clients send {} where a function of theirs demands a body."""
        for body in (b"", b"{}", b" { } ", b"{\n}"):
            for method in ("POST", "PUT", "PATCH"):
                with self.subTest(body, method=method):
                    response = self.client.open("/actions", method=method, data=body)
                    self.assertEqual(response.status_code, 204, response.text)

    def test_a_read_and_a_deletion_leave_a_body_aside(self) -> None:
        for method in ("GET", "DELETE"):
            with self.subTest(method):
                response = self.client.open("/actions", method=method, json={"reason": "late"})
                self.assertEqual(response.status_code, 204, response.text)

    def test_a_body_that_the_document_describes_reaches_the_view(self) -> None:
        response = self.client.post("/actions/raw", data=b"raw", content_type="text/plain")
        self.assertEqual((response.status_code, self.acted), (204, [b"raw"]))

"""Every kind of field, sort and filter works over HTTP with a real database."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from sqlalchemy import Index, MetaData, Table, UniqueConstraint

from api.gauges import MAYBE, SORTED, GaugeApiTestCase
from chassis.development.testing.corpus import Corpus
from chassis.development.testing.declared_lists import missing_indexes
from chassis.development.testing.operation_inputs import Input
from chassis.development.testing.suites.lists import ListsSuite
from chassis.postgres.sql_repository import SqlRepository
from support.gauges import gauges, tables

WHOLE = {
    "text": "x",
    "page": "https://example.org/",
    "number": 0,
    "price": "9.50",
    "state": "it's open",
    "right": False,
    "day": "2026-01-31",
    "at": "12:30:00",
    "moment": "2026-01-31T12:00:00+00:00",
    "more": {"deep": [1, 1.5, None, "ä", {}]},
    "words": ["a", "b"],
}
FILLED = {
    "maybe_text": "y",
    "maybe_number": 7,
    "maybe_price": "1.00",
    "maybe_state": "draft",
    "maybe_right": True,
    "maybe_day": "2026-01-30",
    "maybe_at": "01:00:00.5",
    "maybe_moment": "2026-01-30T12:00:00+00:00",
}


class GaugeListsTest(GaugeApiTestCase, ListsSuite):
    """The inherited suite finds a missing index, and a statement for each row."""

    metadata = tables
    asks_for_each = False

    def lists(self) -> Iterator[str]:
        yield from ("/gauges", "/sites/{site_id}/gauges")

    def repository(self, work: Any, table: Table = gauges) -> Any:
        repository = super().repository(work, table)
        if self.asks_for_each:
            repository.page = lambda query: [
                repository.get(one.id) for one in SqlRepository.page(repository, query)
            ]
            repository.where = lambda **_: repository
        return repository

    def test_each_sort_and_filter_has_its_index(self) -> None:
        found = missing_indexes(self.client.application, tables)
        lacks, then = "gauges has no index for that: add Index(None, ", "), and run db migrate."
        for what, columns in (
            ("sorts by price", '"price", "id"'),
            ("filters by text_prefix", '"text", postgresql_ops={"text": "text_pattern_ops"}'),
            ("filters by site_name", '"site_id"'),
        ):
            self.assertIn(f"GET /gauges {what}, and {lacks}{columns}{then}", found)
        self.assertNotIn("filters by email", " ".join(found))
        self.assertNotIn("filters by number_from", " ".join(found))

    def test_a_unique_key_is_an_index_too(self) -> None:
        names = ("sorts by price,", "filters by site_name,", "sorts by maybe_price,")
        price, site, maybe = (f"GET /gauges {name}" for name in names)
        for add, served in (
            (lambda c: Index(None, c.price, unique=True), {price}),
            (lambda c: UniqueConstraint(c.price), {price}),
            (lambda c: UniqueConstraint(c.site_id, c.text), {site}),
            (lambda c: Index(None, c.site_id, c.text, unique=True), {site}),
            (lambda c: UniqueConstraint(c.text, c.site_id), set()),
            # Several rows have the same price, and this has them in another order than the list.
            (lambda c: UniqueConstraint(c.price, c.text), set()),
            # Some rows only.
            (lambda c: Index(None, c.price, unique=True, postgresql_where=c.right), set()),
            # Several rows have null.
            (lambda c: UniqueConstraint(c.maybe_price), set()),
            (lambda c: Index(None, c.maybe_price, c.id), {maybe}),
        ):
            changed = MetaData(naming_convention=tables.naming_convention)
            for table in tables.sorted_tables:
                table.to_metadata(changed)
            made = add(changed.tables["gauges"].c)
            found = " ".join(missing_indexes(self.client.application, changed))
            with self.subTest(made=made):
                lacking = {one for one in (price, site, maybe) if one in found}
                self.assertEqual(lacking, {price, site, maybe} - served)

    def test_a_statement_for_each_row_is_noticed(self) -> None:
        self.asks_for_each = True
        with self.assertRaisesRegex(AssertionError, "2 statements for 1 row, and 21 for 20: N.1"):
            self.test_many_rows_cost_as_many_statements_as_one()


class GaugesTest(GaugeApiTestCase):
    def create(self, **values: Any) -> Any:
        body = {**WHOLE, "email": f"{uuid4().hex}@example.org", "site_id": str(self.site.id)}
        response = self.client.post("/gauges", json=body | values)
        self.assertEqual(response.status_code, 201, response.text)
        return response.get_json()

    def read(self, path: str = "/gauges", **arguments: Any) -> Any:
        response = self.client.get(path, query_string=arguments)
        self.assertEqual(response.status_code, 200, response.text)
        return response.get_json()

    def walk(self, path: str = "/gauges", **arguments: Any) -> list[str]:
        found = self.read(path, limit=1, **arguments)
        ids = [item["id"] for item in found["items"]]
        while found["next"]:
            found = self.read(path, limit=1, cursor=found["next"], **arguments)
            ids += [item["id"] for item in found["items"]]
        return ids

    def test_what_is_sent_is_what_is_answered(self) -> None:
        for values in ({}, FILLED):
            made = self.create(**values)
            [found] = self.read(email=made["email"])["items"]
            self.assertEqual(found, made)
            wanted = {**WHOLE, **dict.fromkeys(MAYBE), **values}
            wanted |= {"maybe_at": "01:00:00.500000"} if values else {}
            self.assertEqual({name: found[name] for name in wanted}, wanted)
            self.assertEqual(found["created_at"], found["updated_at"])

    def test_a_value_that_exists_already_is_named(self) -> None:
        taken, other = self.create()["email"], self.create()
        body = {**WHOLE, "email": taken.upper(), "site_id": str(self.site.id)}
        wanted = {"pointer": "/email", "detail": "The value exists already.", "code": "duplicate"}
        for answer in (
            self.client.post("/gauges", json=body),
            self.client.patch(f"/gauges/{other['id']}", json={"email": taken}),
        ):
            problem = self.assert_problem(answer, 409, "duplicate")
            self.assertEqual(problem["detail"], "The value exists already: email.")
            self.assertEqual(problem["errors"], [wanted])

    def test_a_field_is_emptied_where_it_may_be_empty(self) -> None:
        made = self.create(**FILLED)
        path = f"/gauges/{made['id']}"
        changed = self.client.patch(path, json={"maybe_text": None}).get_json()
        self.assertEqual(changed["maybe_text"], None)
        self.assertEqual(changed["maybe_number"], FILLED["maybe_number"])
        self.assertLess(changed["created_at"], changed["updated_at"])
        self.assert_problem(self.client.patch(path, json={"text": None}), 422, "validation")

    def test_page_two_of_every_sort(self) -> None:
        made = [self.create(), self.create(**FILLED), self.create(right=True, state="draft")]
        made.append(self.create(number=5, price="1.00", **FILLED))
        for name in SORTED:
            for sort in (name, f"-{name}"):
                with self.subTest(sort):
                    found = self.walk(sort=sort)
                    self.assertCountEqual(found, [one["id"] for one in made])
                    self.assertEqual(found, [one["id"] for one in self.read(sort=sort)["items"]])

    def test_page_two_of_every_filter(self) -> None:
        self.create()
        made = [
            self.create(text=text, number=9, price="9.60", at="13:00:00", right=True, **FILLED)[
                "id"
            ]
            for text in ("ab", "ac")
        ]
        self.create(text="zz", site_id=str(self.new_site("there").id))
        for arguments in (
            {"text_prefix": "a"},
            {"number_from": 9, "number_to": 9},
            {"price_from": "9.55"},
            {"at_from": "12:30:01"},
            {"has_text": "true"},
            {"right": "true"},
            {"state": ["it's open"], "site_name": "here", "has_text": "true"},
            {"state": ["it's open", "draft"], "site_names": ["here", "x"], "number_from": 1},
            {"day_to": "2026-01-31", "moment_from": "2026-01-31T13:00:00+01:00", "right": "true"},
        ):
            with self.subTest(arguments):
                self.assertEqual(self.walk(**arguments), made)
        self.assertEqual(len(self.walk(has_text="false")), 2)
        self.assertEqual(self.walk(state="draft"), [])

    def test_a_nested_list_has_cursors_of_its_own(self) -> None:
        for _ in range(2):
            self.create()
        here, there = (f"/sites/{one.id}/gauges" for one in (self.site, self.new_site("there")))
        self.assertEqual((len(self.walk(here)), self.walk(there)), (2, []))
        cursor = self.read(here, limit=1)["next"]
        response = self.client.get(there, query_string={"cursor": cursor, "limit": 1})
        self.assert_problem(response, 400, "invalid-query")

    def test_a_missing_reference_is_named(self) -> None:
        body = {**WHOLE, "email": "a@example.org", "site_id": str(uuid4())}
        made = self.create()
        for answer in (
            self.client.post("/gauges", json=body),
            self.client.patch(f"/gauges/{made['id']}", json={"site_id": str(uuid4())}),
        ):
            [error] = self.assert_problem(answer, 422, "validation")["errors"]
            self.assertEqual(error["pointer"], "/site_id")

    def test_a_patch_is_described_as_one(self) -> None:
        schemas = self.client.get("/openapi.json").get_json()["components"]["schemas"]
        self.assertNotIn("required", schemas["GaugePatch"])
        self.assertIn("site_id", schemas["GaugeInput"]["required"])
        self.assertEqual(schemas["GaugeInput"]["properties"]["price"]["x-maximum"], "1000")
        self.assertEqual(
            schemas["GaugeInput"]["properties"]["state"]["enum"], ["draft", "it's open"]
        )

    def test_nothing_that_comes_in_breaks_it_nor_a_later_list(self) -> None:
        document = self.client.get("/openapi.json").get_json()
        made = self.create()
        paths = {"/gauges/{gauge_id}": f"/gauges/{made['id']}"}
        paths["/sites/{site_id}/gauges"] = f"/sites/{self.site.id}/gauges"
        document["paths"] = {path: document["paths"][path] for path in ("/gauges", *paths)}
        inputs = [one for one in Corpus(document, paths=paths).inputs() if one.kind != "size"]
        self.assertGreater(len(inputs), 3000)
        for one in inputs[:: len(inputs) // 1500]:
            with self.subTest(str(one)):
                self.assert_judged(one)
        self.read()

    def assert_judged(self, one: Input) -> None:
        answer = self.client.open(one.target, method=one.method, data=one.body, headers=one.headers)
        if one.status:
            self.assert_problem(answer, one.status, one.slug)
        elif answer.status_code >= 300:
            # Input that the schema accepts may still name a missing site, or an outdated tag.
            self.assertIn(answer.status_code, {304, 400, 409, 412, 422}, answer.text)
            if answer.status_code == 422:
                self.assertIn("/site_id", answer.text)


del ListsSuite  # Only its subclass is run.

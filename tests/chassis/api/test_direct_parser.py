"""A request is loaded as webargs loads it: compares results, errors and the calls of hooks."""

from typing import Any
from unittest import TestCase
from unittest.mock import patch

from flask import request
from marshmallow import post_load, pre_load, validates_schema
from webargs.core import Parser
from werkzeug.exceptions import HTTPException

from chassis.http.fast import direct_parser
from chassis.http.flow.application import Application
from chassis.http.input.parser import InvalidRequestError, StrictParser
from chassis.schemas.base import Schema
from chassis.schemas.fields import Integer, List, Text

BODIES = (b'{"name": "a", "count": 1}', b'{"name": "a"}', b"{}", b"[]", b'{"x": 1}', b"{", b"")
QUERIES = ("name=a&count=1", "count=x", "name=a&name=b", "names=a&names=b&name=c", "", "x=1")
calls: list[str] = []


class Sent(Schema):
    name = Text(required=True, max_length=9)
    count = Integer()
    names = List(Text(max_length=9), max_length=3)

    @pre_load
    def note_before(self, data: Any, **_: Any) -> Any:
        calls.append(f"before {data}")
        return data

    @validates_schema
    def note_between(self, data: Any, **_: Any) -> None:
        calls.append(f"between {data}")

    @post_load
    def note_after(self, data: Any, **_: Any) -> Any:
        calls.append(f"after {data}")
        return data


class OwnParser(StrictParser):
    def pre_load(self, location_data: Any, **options: Any) -> Any:
        calls.append(f"parser {options['location']}")
        return location_data


class DirectParserTest(TestCase):
    def setUp(self) -> None:
        self.app = Application("parsed", secret_key="", max_body=100)
        self.app.pass_through([])

    def parsed(self, body: bytes, query: str, **options: Any) -> Any:
        calls.clear()
        sent = {"data": body, "content_type": "application/json", "query_string": query}
        with self.app.test_request_context("/", method="POST", **sent):
            view = OwnParser().use_args(Sent, **options)(lambda arguments: arguments)
            try:
                return view(), [*calls]
            except InvalidRequestError as error:
                return error.errors, error.slug, [*calls]
            except HTTPException as error:
                return error.code, error.description, [*calls]

    def test_each_request_is_loaded_alike(self) -> None:
        others: list[dict[str, Any]] = [
            {},
            {"validate": lambda _: None},
            {"unknown": "exclude"},
            {"error_status_code": 400},
        ]
        for location in ("json", "query", "json_or_form"):
            for options in others:
                for body in BODIES:
                    for query in QUERIES:
                        with self.subTest(location, options=options, body=body, query=query):
                            given = {"location": location, **options}
                            found = self.parsed(body, query, **given)
                            with patch.object(direct_parser, "ENABLED", new=False):
                                self.assertEqual(found, self.parsed(body, query, **given))

    def test_another_request_than_the_present_one_is_parsed(self) -> None:
        with self.app.test_request_context("/?name=outer"):
            outer: Any = request._get_current_object()  # type: ignore[attr-defined]
            with self.app.test_request_context("/?name=inner"):
                options: dict[str, Any] = {"location": "query", **direct_parser.USUAL}
                parser = StrictParser()
                self.assertEqual(parser.parse(Sent(), **options), {"name": "inner"})
                self.assertEqual(parser.parse(Sent(), outer, **options), {"name": "outer"})

    def test_a_parser_of_the_team_s_own_is_heeded(self) -> None:
        def read(req: Any, _: Any) -> Any:
            return {"name": req.method}

        class Reading(OwnParser):
            __location_map__ = OwnParser.__location_map__ | {"query": read}

        reading = Reading()
        for enabled in (True, False):
            with (
                patch.object(direct_parser, "ENABLED", new=enabled),
                self.app.test_request_context("/?name=a&x=1", json={"name": 1}, method="POST"),
            ):
                options: dict[str, Any] = {"location": "query", **direct_parser.USUAL}
                self.assertEqual(reading.parse(Sent(), **options), {"name": "POST"})
                with self.assertRaises(InvalidRequestError):
                    OwnParser(unknown="raise").parse(Sent(), **options)
                with self.assertRaises(ValueError), patch.object(OwnParser, "handle_error"):
                    OwnParser().parse(Sent(), **options | {"location": "json"})

    @patch.object(direct_parser, "ENABLED", new=True)
    def test_webargs_is_not_asked_for_a_usual_request(self) -> None:
        with patch.object(Parser, "parse", side_effect=AssertionError):
            for location in ("json", "query"):
                loaded, _ = self.parsed(b'{"name": "a"}', "name=a", location=location)
                self.assertEqual(loaded, {"name": "a"})

"""A remembered route equals the one that Werkzeug finds: compares many maps, paths and methods."""

from typing import Any
from unittest import TestCase
from unittest.mock import patch

from werkzeug.exceptions import HTTPException
from werkzeug.routing import BaseConverter, Map, MapAdapter, Rule, UUIDConverter

from chassis.http.fast import direct_routes
from chassis.http.fast.direct_routes import DirectAdapter, DirectMap

ONE = "0199c82c-def0-7255-8ea8-87b8bca36797"
OTHER = "AAAAAAAA-BBBB-4ccc-8DDD-EEEEEEEEEEEE"
SEVENS = "77777777-7777-4777-8777-777777777777"
LASTS = (ONE, OTHER, SEVENS, "7", "none", "", f"{ONE}\n", f" {ONE}", ONE[:-1], f"{ONE}/members")
TEXTS = ("/things/<uuid:id>", f"/things/<uuid:one>/members/{ONE}", f"/<uuid:one>/{ONE}", "/<name>")
PATHS = [
    *TEXTS,
    "",
    "/",
    "/things",
    "/things/",
    "//things",
    "/things/none/",
    *(f"/things/{last}" for last in LASTS),
    *(f"/things/{SEVENS}/members/{last}" for last in LASTS),
    *(f"/{SEVENS}/{last}" for last in LASTS),
]
METHODS = ("GET", "HEAD", "POST", "DELETE", "OPTIONS", "BREW")


class SevensConverter(BaseConverter):
    regex = "7[478-]+"
    weight = 50  # It is tried before a UUID's.


class WideConverter(UUIDConverter):
    """Not Werkzeug's own."""

    regex = ".+"

    def to_python(self, value: str) -> Any:
        return value.upper()


def rule(text: str, *methods: str, **options: Any) -> Rule:
    name = f"{text} {methods}"
    return Rule(text, endpoint=name, methods=methods or ["GET", "POST"], **options)


MAPS: dict[str, list[Rule]] = {
    "usual": [rule("/things"), rule("/things/<uuid:id>", "GET"), rule("/things/<uuid:id>", "POST")],
    "a word beside": [rule("/things/none"), rule("/things/<uuid:id>")],
    "two in a path": [rule("/things/<uuid:one>/members/<uuid:two>"), rule("/things/<uuid:id>")],
    "one in front": [rule("/<uuid:id>/none"), rule("/<uuid:one>/<uuid:two>"), rule("/<uuid:id>")],
    "another kind beside": [rule("/things/<sevens:name>"), rule("/things/<uuid:id>")],
    "another kind behind": [rule("/things/<uuid:id>", "GET"), rule("/things/<name>")],
    "every kind behind": [rule("/things/<uuid:id>"), rule("/<path:rest>")],
    "another name": [rule("/things/<uuid:id>", "GET"), rule("/things/<uuid:name>", "POST")],
    "a UUID as a word": [rule(f"/things/{SEVENS}"), rule("/things/<uuid:id>")],
    "a slash at the end": [rule("/things/"), rule("/things/<uuid:id>/")],
    "defaults": [rule("/things", defaults={"x": 1}), rule("/things/<uuid:id>", defaults={"x": 1})],
    "a redirect": [rule("/things", redirect_to="/"), rule("/things/<uuid:id>", redirect_to="/")],
    "a word in front": [rule("/<name>/<uuid:id>"), rule("/<name>")],
    "any method": [Rule("/things", endpoint="x"), Rule("/things/<uuid:id>", endpoint="y")],
}


class DirectRoutesTest(TestCase):
    def made(self, kind: type[Map], name: str, **options: Any) -> Map:
        options = {"merge_slashes": False, "redirect_defaults": False, **options}
        converters = {"sevens": SevensConverter, **options.pop("converters", {})}
        return kind([each.empty() for each in MAPS[name]], converters=converters, **options)

    def matched(
        self, kind: type[MapAdapter], routes: Map, path: str, method: str, scheme: str = "http"
    ) -> Any:
        adapter = kind(routes, "localhost", "/", "", scheme, path, method, "")
        try:
            found, values = adapter.match(return_rule=True)
        except HTTPException as error:
            return type(error), getattr(error, "new_url", None), getattr(error, "description", "")
        return found.rule, found.endpoint, values

    def assert_alike(self, direct: Map, usual: Map) -> None:
        for path in PATHS:
            for method in METHODS:
                for scheme in ("http", "http", "wss"):
                    with self.subTest(path=path, method=method, scheme=scheme):
                        expected = self.matched(MapAdapter, usual, path, method, scheme)
                        found = self.matched(DirectAdapter, direct, path, method, scheme)
                        self.assertEqual(found, expected)

    def test_each_path_has_the_same_route(self) -> None:
        own = {"converters": {"uuid": WideConverter}}
        for options in ({}, own, {"redirect_defaults": True}, {"merge_slashes": True}):
            for name in MAPS:
                with self.subTest(name, options=options):
                    made = (self.made(kind, name, **options) for kind in (DirectMap, Map))
                    self.assert_alike(*made)

    def test_a_rule_that_is_added_later_counts(self) -> None:
        direct, usual = (self.made(kind, "usual") for kind in (DirectMap, Map))
        self.assert_alike(direct, usual)
        for one in (direct, usual):
            one.add(rule("/things/<sevens:name>"))
        self.assert_alike(direct, usual)

    @patch.object(direct_routes, "ENABLED", new=True)
    def test_the_usual_routes_are_remembered_and_no_others(self) -> None:
        direct: Any = self.made(DirectMap, "usual")
        self.assert_alike(direct, self.made(Map, "usual"))
        self.assertEqual(
            [*direct.by_id], [("GET", "/things"), ("HEAD", "/things"), ("POST", "/things")]
        )
        self.assertEqual([*direct.fixed], [*direct.by_id])
        with patch.object(MapAdapter, "match", side_effect=AssertionError):
            for path in ("/things", f"/things/{ONE}"):
                self.matched(DirectAdapter, direct, path, "GET")
        for name in ("another kind beside", "another name", "a UUID as a word", "any method"):
            direct = self.made(DirectMap, name)
            self.assert_alike(direct, self.made(Map, name))
            self.assertEqual(direct.by_id, {}, name)

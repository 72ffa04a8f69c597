"""A schema accepts and rejects the same input with and without the shortcut."""

import copy
from typing import Any
from unittest import TestCase
from unittest.mock import patch

import marshmallow
from marshmallow import ValidationError, post_load, pre_load, validate, validates, validates_schema

from chassis.schemas import fields, loading
from chassis.schemas.base import Schema


class Inner(Schema):
    number = fields.Integer(required=True)


class Outer(Schema):
    text = fields.Text(max_length=3, required=True, data_key="Text")
    number = fields.Integer(load_default=lambda: 7, attribute="amount")
    absent = fields.Integer(allow_none=True)
    inner = fields.Nested(Inner)
    inners = fields.List(fields.Nested(Inner), validate=validate.Length(max=2))


class Dotted(Schema):
    number = fields.Integer(attribute="a.b")


class Hooked(Schema):
    number = fields.Integer()

    def __init__(self) -> None:
        super().__init__()
        self.called: list[str] = []

    @pre_load
    def before(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        self.called.append("before")
        return {"number": data["text"]}

    @validates("number")
    def odd(self, number: int, **_: Any) -> None:
        self.called.append("odd")
        if number % 2 == 0:
            raise ValidationError("Even.")

    @validates_schema
    def whole(self, data: dict[str, Any], **_: Any) -> None:
        self.called.append("whole")
        if data["number"] == 3:
            raise ValidationError("Three.")

    @post_load
    def after(self, data: dict[str, Any], **_: Any) -> int:
        self.called.append("after")
        if data["number"] == 5:
            raise ValidationError({"number": ["Five."]})
        return int(data["number"])


BODIES: list[Any] = [
    {"Text": "abc"},
    {"Text": "abc", "number": 1, "absent": None, "inner": {"number": 2}, "inners": [{"number": 3}]},
    {"inners": [], "absent": 3, "Text": "a"},
    {},
    {"text": "abc"},
    {"Text": "abc", "other": 1, "more": 2},
    {"Text": "abcd", "number": "1", "absent": [], "inner": {"other": 1}, "inners": [1, {}, {}]},
    {"Text": None, "inner": None, "inners": None},
    {"Text": "abc", "amount": 1},
    {"Text": "abc", 1: 2},
    [],
    "text",
    None,
    [{"Text": "abc"}],
]


def outcome(schema: marshmallow.Schema, body: Any, **options: Any) -> Any:
    try:
        return schema.load(copy.deepcopy(body), **options)
    except ValidationError as error:
        return error.messages, error.valid_data


class LoadingTest(TestCase):
    enabled = True

    def setUp(self) -> None:
        self.enterContext(patch.object(loading, "ENABLED", new=self.enabled))

    def both(self, schema: marshmallow.Schema, body: Any, **options: Any) -> tuple[Any, Any]:
        with patch.object(loading, "ENABLED", new=False):
            expected = outcome(schema, body, **options)
        return outcome(schema, body, **options), expected

    def test_each_body_is_loaded_or_refused_alike(self) -> None:
        for body in BODIES:
            for options in ({}, {"unknown": "exclude"}, {"unknown": "include"}):
                for partial in (None, False, True, ("text",), ("inner.number", "text")):
                    with self.subTest(body, options=options, partial=partial):
                        found, expected = self.both(Outer(), body, partial=partial, **options)
                        self.assertEqual(found, expected)

    def test_many_are_loaded_or_refused_alike(self) -> None:
        for body in (BODIES, BODIES[:3], BODIES[0]):
            found, expected = self.both(Outer(), body, many=True)
            self.assertEqual(found, expected)

    def test_fields_come_in_the_order_of_the_schema(self) -> None:
        found = Outer().load({"number": 1, "Text": "a"})
        self.assertEqual([*found.items()], [("text", "a"), ("amount", 1)])

    def test_an_attribute_may_lie_deeper(self) -> None:
        self.assertEqual(Dotted().load({"number": 1}), {"a": {"b": 1}})

    def test_a_schema_that_is_nested_may_have_fewer_fields(self) -> None:
        Outer().load({"Text": "a", "inner": {"number": 1}})
        inner = Inner()
        inner.load({"number": 1})

        class Empty(Schema):
            inner_too = fields.Nested(inner, exclude=("number",))

        self.assertEqual(Empty().load({"inner_too": {}}), {"inner_too": {}})
        with self.assertRaises(ValidationError):
            Empty().load({"inner_too": {"number": 1}})
        self.assertEqual(inner.load({"number": 1}), {"number": 1})

    def test_each_hook_is_called_once(self) -> None:
        hooks = ["before", "odd", "whole", "after"]
        # The called validators: marshmallow stops at the first that fails.
        ends = {1: (1, 4), 2: (["Even."], 2), 3: (["Three."], 3), 5: (["Five."], 4)}
        for number, (expected, calls) in ends.items():
            with self.subTest(number):
                schema = Hooked()
                found = outcome(schema, {"text": number})
                if number != 1:
                    [found] = found[0].values()
                self.assertEqual((found, schema.called), (expected, hooks[:calls]))


class OrdinaryTest(LoadingTest):
    enabled = False


class DirectTest(TestCase):
    def test_marshmallow_is_not_asked_about_what_is_right(self) -> None:
        with (
            patch.object(loading, "ENABLED", new=True),
            patch.object(marshmallow.Schema, "_call_and_store", side_effect=AssertionError),
        ):
            self.assertEqual(Inner().load({"number": 1}), {"number": 1})
            self.assertEqual(Inner(many=True).load([{"number": 1}]), [{"number": 1}])
            self.assertEqual(Inner(partial=True).load({}), {})
            with self.assertRaises(AssertionError):
                Inner().load({"number": "1"})

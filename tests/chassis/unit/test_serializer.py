"""The serializer makes the same JSON as marshmallow."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from unittest import TestCase
from uuid import uuid4

import marshmallow
import orjson
from marshmallow import post_dump, pre_dump

from chassis.schemas import fields
from chassis.schemas.base import Schema
from chassis.schemas.serializer import serializer


class Inner(Schema):
    id = fields.UUID()
    name = fields.Text(max_length=20, data_key="called")


class Everything(Schema):
    id = fields.UUID()
    text = fields.Text(max_length=20)
    said = fields.String()
    number = fields.Integer(attribute="other")
    price = fields.Decimal(digits=6, places=2)
    right = fields.Boolean()
    at = fields.AwareDateTime()
    day = fields.Date()
    inner = fields.Nested(Inner)
    inners = fields.List(fields.Nested(Inner))
    words = fields.List(fields.String())
    hidden = fields.Text(max_length=20, load_only=True)


def inner(**more: Any) -> SimpleNamespace:
    return SimpleNamespace(id=uuid4(), name="somebody", **more)


WHOLE = {
    "id": uuid4(),
    "text": "Läuft",
    "said": "x",
    "other": 7,
    "price": Decimal("1.5"),
    "right": True,
    "at": datetime(2026, 1, 31, 12, tzinfo=UTC),
    "day": datetime(2026, 1, 31, tzinfo=UTC).date(),
    "inner": inner(),
    "inners": [inner(), inner(name_of_another=1)],
    "words": ["a", "b"],
    "hidden": "secret",
}


class Derived(datetime):
    """A subclass of datetime, as freezegun and pendulum have."""


class Wrapping(Schema):
    name = fields.Text(max_length=20)

    @post_dump
    def wrap(self, told: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {"wrapped": told}


class Outer(Schema):
    one = fields.Nested(Wrapping)
    many = fields.List(fields.Nested(Wrapping))


class SerializerTest(TestCase):
    def assert_the_same(self, schema: Schema, found: object) -> None:
        serialize = serializer(schema)
        self.assertNotEqual(serialize, schema.dump)
        self.assertEqual(orjson.dumps(serialize(found)), orjson.dumps(schema.dump(found)))

    def test_it_writes_what_marshmallow_writes(self) -> None:
        nothing = dict.fromkeys(WHOLE)
        part = {"text": "only this"}
        for found in (WHOLE, nothing, part, {}):
            for schema in (
                Everything(),
                Everything(only=["id", "text"]),
                Everything(exclude=["at"]),
            ):
                with self.subTest(found=found, schema=schema):
                    self.assert_the_same(schema, found)
                    self.assert_the_same(schema, SimpleNamespace(**found))

    def test_hooks_of_what_is_nested_are_called(self) -> None:
        found = {"one": inner(), "many": [inner()]}
        self.assert_the_same(Outer(), found)
        wrapped = {"wrapped": {"name": "somebody"}}
        self.assertEqual(serializer(Outer())(found), {"one": wrapped, "many": [wrapped]})

    def test_what_is_unusual_is_left_to_marshmallow(self) -> None:
        class Before(Everything):
            @pre_dump
            def change(self, found: Any, **_: Any) -> Any:
                return {**found, "text": "changed before"}

        class After(Everything):
            @post_dump
            def change(self, told: Any, **_: Any) -> Any:
                return {**told, "text": "changed after"}

        class Computed(Schema):
            text = marshmallow.fields.Function(lambda found: found["text"].upper())

        class Default(Schema):
            text = fields.String(dump_default="nothing")

        class Below(Schema):
            name = fields.String(attribute="inner.name")

        class Otherwise(Schema):
            text = fields.String()

            def get_attribute(self, _: Any, attr: str, *__: Any) -> Any:
                return attr

        class Dumped(Everything):
            def dump(self, obj: Any, *, many: bool | None = None) -> Any:
                return super().dump({**obj, "text": "dumped"}, many=many)

        class Reading(fields.Text):
            def get_value(self, *_: Any, **__: Any) -> str:
                return "read"

        class Read(Schema):
            text = Reading(max_length=20)

        for kind, expected in (
            (Dumped, "dumped"),
            (Read, "read"),
            (Before, "changed before"),
            (After, "changed after"),
            (Computed, "LÄUFT"),
            (Otherwise, "text"),
        ):
            with self.subTest(kind.__name__):
                self.assertEqual(serializer(kind())(WHOLE)["text"], expected)
        self.assertEqual(serializer(Default())({}), {"text": "nothing"})
        self.assertEqual(serializer(Below())(WHOLE), {"name": "somebody"})
        self.assertEqual(serializer(Inner(many=True))([{"name": "a"}]), [{"called": "a"}])

    def test_values_are_written_as_the_field_has_it_whatever_they_are(self) -> None:
        elsewhere = timezone(timedelta(hours=5, minutes=30))
        moments = (
            datetime(2026, 1, 31, 12, 0, 0, 120, tzinfo=elsewhere),
            datetime(999, 1, 31, 12, tzinfo=UTC),
            datetime(2026, 1, 31, 12),  # noqa: DTZ001
            Derived(2026, 1, 31, 12, tzinfo=UTC),
        )
        for moment in moments:
            self.assert_the_same(Everything(), {"at": moment})
        for value in (str(uuid4()), 7, self):
            self.assert_the_same(Everything(), {"id": value, "text": value, "said": value})

    def test_what_is_read_by_key_without_being_a_dict_is_left_to_marshmallow(self) -> None:
        class Row(dict[str, Any]):
            text = "an attribute"

        self.assert_the_same(Everything(), Row(text="a key"))

    def test_a_text_that_writes_otherwise_is_asked(self) -> None:
        class Loud(fields.Text):
            def _serialize(self, value: Any, *_: Any, **__: Any) -> str:
                return str(value).upper()

        class Said(Schema):
            text = Loud(max_length=20)
            texts = fields.List(Loud(max_length=20))

        self.assertEqual(serializer(Said())({"text": "so"}), {"text": "SO"})
        for text in ("so", None):
            self.assert_the_same(Said(), {"text": text, "texts": [text]})
            self.assert_the_same(Said(), SimpleNamespace(text=text, texts=[text]))

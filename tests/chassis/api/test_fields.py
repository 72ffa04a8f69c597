"""Fields accept valid values only, and a looser field stops the start."""

from typing import Any
from unittest import TestCase

import marshmallow
from marshmallow import validate

from chassis.development.testing.security_table import shows
from chassis.http.flow.blueprint import Blueprint
from chassis.schemas import fields
from chassis.schemas.base import Schema
from chassis.schemas.strict import Parameter


class SchemasTest(TestCase):
    @shows("API3:2023", "V15.3.3")
    def test_a_schema_that_is_not_strict_stops_the_service(self) -> None:
        class Loose(marshmallow.Schema):
            pass

        class Inner(Schema):
            number = marshmallow.fields.Integer()

        class Outer(Schema):
            many = fields.List(fields.Nested(Inner))
            text = fields.String()
            kept = fields.String(dump_only=True)

        register = Blueprint("specimens", __name__).arguments
        for schema, names in ((Loose, "Loose"), (Outer, r"^Inner\.number, Outer\.text:")):
            with self.subTest(schema), self.assertRaisesRegex(TypeError, names):
                register(schema)(print)


class FieldsTest(TestCase):
    def assert_takes(self, field: marshmallow.fields.Field[Any], *values: Any) -> None:
        for value in values:
            with self.subTest(value):
                loaded = field.deserialize(value)
                self.assertEqual(field.deserialize(field.serialize("x", {"x": loaded})), loaded)

    def assert_refuses(self, field: marshmallow.fields.Field[Any], *values: Any) -> None:
        for value in values:
            with self.subTest(value), self.assertRaises(marshmallow.ValidationError):
                field.deserialize(value)

    @shows("V1.4.2", "V15.3.5")
    def test_integers(self) -> None:
        self.assert_takes(fields.Integer(), 0, -(2**31), 2**31 - 1)
        self.assert_refuses(
            fields.Integer(),
            *(2**31, 10**100, 1.0, 1.9, True, "1", "1_0", " 1 ", "\u0661", [], {}),
        )

    def test_decimals(self) -> None:
        self.assert_takes(fields.Decimal(digits=4, places=2), "0", "99.99", "-12.3")
        self.assert_refuses(
            fields.Decimal(digits=4, places=2),
            *("100", "1.234", "1.", ".1", "+1", "1e1", "1_0", "NaN", "\u0661", "01", 1, 1.5, True),
        )

    def test_booleans(self) -> None:
        self.assert_takes(fields.Boolean(), *(True, False))
        self.assert_refuses(fields.Boolean(), 0, 1, "true", "on", "yes", [])

    def test_moments(self) -> None:
        self.assert_takes(
            fields.AwareDateTime(),
            *("2026-01-31T12:00:00Z", "2026-01-31t12:00:00.123456+23:59"),
            *("0001-01-02T00:00:00Z", "9999-12-30T23:59:59.999999Z"),
        )
        self.assert_refuses(
            fields.AwareDateTime(),
            *("2026-01-31", "2026-01-31T12:00:00", "20260131T120000Z", "2026-02-30T00:00:00Z"),
            *("0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "2026-01-31T12:00:60Z"),
            *("2026-01-31T12:00:00.1234567Z", 0, None, "\u0662026-01-31T12:00:00Z"),
        )
        moment = fields.AwareDateTime().deserialize("2026-01-31T12:00:00+02:00")
        self.assertEqual(moment.isoformat(), "2026-01-31T10:00:00+00:00")

    def test_dates_and_ids(self) -> None:
        self.assert_takes(fields.Date(), "2024-02-29", "0001-01-01", "9999-12-31")
        self.assert_refuses(fields.Date(), "2023-02-29", "20240101", "2024-W01-1", 0)
        self.assert_takes(fields.UUID(), "00000000-0000-0000-0000-00000000000F")
        self.assert_refuses(fields.UUID(), "0" * 32, "1_0" + "0" * 29, f"{{{'0' * 32}}}", 1)

    def test_a_number_that_is_refused_is_told_which_would_be_right(self) -> None:
        integer, behind = "Must be an integer from {} to {}.", "digits before the point and"
        eight = f"Must be a number in a text, with at most 6 {behind} 2 behind it."
        for field, values, sentence in (
            (
                fields.Decimal(digits=8, places=2),
                ("1234567", "1.234", "1e3", 1.5, True, None),
                eight,
            ),
            (
                fields.Decimal(digits=2, places=2),
                ("1", "0.123"),
                f"Must be a number in a text, with at most 0 {behind} 2 behind it.",
            ),
            (
                fields.Decimal(digits=3, places=0),
                ("1000", "1.5", 1),
                "Must be a whole number in a text, with at most 3 digits.",
            ),
            (fields.Integer(), ("1", 1.5, "x"), integer.format(-(2**31), 2**31 - 1)),
            (fields.Integer(minimum=1, maximum=9), (Parameter("1" * 20),), integer.format(1, 9)),
            (fields.Decimal(digits=4, places=1, minimum=1), ("0.5",), "Must be 1 or more."),
            (fields.Decimal(digits=4, places=1, maximum=9), ("9.5",), "Must be 9 or less."),
            (
                fields.Decimal(digits=4, places=1, minimum=1, maximum=9),
                ("0.5", "9.5"),
                "Must be from 1 to 9.",
            ),
        ):
            for value in values:
                with self.subTest(sentence, value=value):
                    with self.assertRaises(marshmallow.ValidationError) as raised:
                        field.deserialize(value)
                    told = [sentence] if value is not None else ["Field may not be null."]
                    self.assertEqual(raised.exception.messages, told)

    def test_a_rule_of_the_author_s_has_its_code(self) -> None:
        field = fields.Text(max_length=9, validate=[validate.OneOf(["a"]), validate.Regexp("a")])
        with self.assertRaises(marshmallow.ValidationError) as raised:
            field.deserialize("b")
        codes = [getattr(text, "code", "") for text in raised.exception.messages]
        self.assertEqual(codes, ["choice", "pattern"])

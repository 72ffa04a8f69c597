"""An entity's fields enforce their rules, and an error names the field."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Annotated, Any
from unittest import TestCase

from chassis.core import rules
from chassis.core.errors import NotFoundError, ValidationError
from chassis.core.identity import uuid7
from chassis.core.model import Model, Value, declarations
from support.gauges import Gauge, Site, State, gauge

SITE = Site(name="x")
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
NUL, HALF = "\0", "\ud800"
NO_MAILBOX = (
    *("a@-.b.cd", "a@b-.cd", "a@b..cd", "a@b.cd-", f"a@{'b' * 64}.cd"),
    *(".a@b.cd", "a.@b.cd", "a..b@b.cd", "a" * 65 + "@b.cd", "a@" + "b." * 126 + "cd"),
)
BROKEN: dict[str, tuple[Any, ...]] = {
    "text": ("", "x" * 21, 1, None),
    "email": ("", "a", "a@b", "a@b c.d", "ä@example.org", "@example.org", *NO_MAILBOX),
    "page": ("", "ftp://a.b", "//a.b", "https://", "https://a b", "https://ä.org", "x:y"),
    "number": (-1, 2**40 + 1, True, 1.0, "1"),
    "price": (1, Decimal("-0.01"), Decimal("1000.01"), Decimal("1.001"), Decimal("NaN"), "1"),
    "state": ("", "closed", None, 1),
    "right": (0, None, "true"),
    "day": (NOON, "2026-01-31"),
    "at": (time(12, tzinfo=UTC), "12:00"),
    "moment": (date(2026, 1, 31), NOON.replace(tzinfo=None)),
    "more": ([], {"a": NUL}, {NUL: 1}, {"a": HALF}, {"a": 2**63}, {"a": 1e308}, {"a": -(2**64)}),
    "words": ("ab", ["a"] * 4, ["x" * 6], [""], [None]),
    "site_id": ("00000000-0000-0000-0000-000000000000", None),
}


@dataclass(eq=False, kw_only=True, slots=True)
class Loan(Model):
    since: date
    until: date

    def check_invariants(self) -> None:
        if self.until < self.since:
            raise ValidationError("until: It is not before since.", field="until")


class ModelTest(TestCase):
    def test_no_field_takes_what_its_rule_forbids(self) -> None:
        for name, values in BROKEN.items():
            for value in values:
                with self.subTest(name, value=value):
                    with self.assertRaises(ValidationError) as made:
                        gauge(SITE, **{name: value})
                    one = gauge(SITE)
                    before = getattr(one, name)
                    with self.assertRaises(ValidationError) as changed:
                        one.change(**{name: value})
                    self.assertEqual((made.exception.field, changed.exception.field), (name, name))
                    self.assertEqual(getattr(one, name), before)

    def test_json_is_bounded_in_depth_and_bytes(self) -> None:
        values: tuple[Any, ...] = ({"a": {"b": {"c": {}}}}, {"a": [[[]]]}, {"a": "ä" * 100})
        for value in values:
            with self.subTest(value), self.assertRaises(ValidationError):
                gauge(SITE, more=value)
        self.assertEqual(gauge(SITE, more={"a": {"b": {}}}).more, {"a": {"b": {}}})

    def test_a_field_may_be_emptied_where_it_may_be_empty(self) -> None:
        names = [name for name in declarations(Gauge) if name.startswith("maybe_")]
        one = gauge(SITE, maybe_text="x", maybe_state="draft")
        self.assertIs(one.maybe_state, State.DRAFT)
        one.change(**dict.fromkeys(names))
        self.assertEqual({getattr(one, name) for name in names}, {None})

    def test_identity_and_version_are_not_changed(self) -> None:
        one = gauge(SITE)
        before = one.id, one.version
        for values in ({"id": uuid7()}, {"version": 2}, {"maybe_text": "x", "version": 1}):
            with self.subTest(values), self.assertRaisesRegex(AttributeError, "cannot be changed"):
                one.change(**values)
        self.assertEqual((one.id, one.version, one.maybe_text), (*before, None))

    def test_fields_that_do_not_fit_each_other_are_refused(self) -> None:
        loan = Loan(since=date(2026, 1, 1), until=date(2026, 1, 2))
        with self.assertRaisesRegex(ValidationError, "not before"):
            loan.change(until=date(2025, 12, 31))
        with self.assertRaisesRegex(ValidationError, "not before"):
            Loan(since=date(2026, 1, 1), until=date(2025, 12, 31))

    def test_an_address_is_in_lower_case(self) -> None:
        self.assertEqual(gauge(SITE, email="Ann@Example.org").email, "ann@example.org")
        for whole in ("a.b+c@x-y.example", "{%5@0.t.q", "a" * 64 + "@b.cd", f"a@{'b' * 63}.cd"):
            with self.subTest(whole):
                self.assertEqual(gauge(SITE, email=whole).email, whole)

    def test_what_has_no_rule_is_not_declared(self) -> None:
        @dataclass(eq=False, kw_only=True, slots=True)
        class Line(Value):
            text: Annotated[str, "no rule"]
            many: list[Site]
            either: int | str
            number: Annotated[int, rules.Integer(1, 2)]

        line = Line(text="", many=[], either="x", number=1)
        self.assertEqual(list(declarations(Line)), ["number"])
        self.assertEqual(list(declarations(Model)), ["id", "version"])
        with self.assertRaisesRegex(ValidationError, "number: It is an integer from 1 to 2"):
            line.number = 3


class NotFoundTest(TestCase):
    def test_a_kind_is_named_in_words(self) -> None:
        for name, words in (
            ("Book", "book"),
            ("OrderLine", "order line"),
            ("Part2Set", "part2 set"),
        ):
            error = NotFoundError.of(type(name, (), {}), 7)
            self.assertEqual(str(error), f"There is no {words} 7.")

"""Repositories store every kind of field and relation: the same tests for SQL and memory."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from sqlalchemy import event

from chassis.core.errors import (
    ConflictError,
    DomainError,
    DuplicateError,
    NotFoundError,
    PreconditionFailedError,
    ValidationError,
)
from chassis.core.identity import uuid7
from chassis.core.model import declarations
from chassis.core.paging import Comparison, PageQuery, SortKey
from chassis.core.request_scope import Attempt
from chassis.development.testing.memory import StoppedClock
from contract.test_attempts import expecting
from support.gauges import Gauge, Site, State, Step, Tag, gauge, tags
from support.units import GaugeUnits, MemoryGauges, SqlGauges, attempting

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
# Values of each optional field, in ascending order.
VALUES: dict[str, list[Any]] = {
    "maybe_text": ["a", "b", "b", "c"],
    "maybe_number": [-1, 0, 0, 7],
    "maybe_price": [Decimal("-1.50"), Decimal("0.00"), Decimal("0.00"), Decimal("9.00")],
    "maybe_state": [State.DRAFT, State.DRAFT, State.OPEN, State.OPEN],
    "maybe_right": [False, False, True, True],
    "maybe_day": [date(2026, 1, day) for day in (1, 2, 2, 3)],
    "maybe_at": [time(hour) for hour in (1, 2, 2, 3)],
    "maybe_moment": [NOON.replace(day=day) for day in (1, 2, 2, 3)],
}


class RepositoryContract(GaugeUnits):
    def rows(self) -> list[Gauge]:
        """Add four rows with values and two without; the ids are not in the order of values."""
        site = self.site()
        filled = [
            self.gauge(site, **{name: values[place] for name, values in VALUES.items()})
            for place in (2, 0, 3, 1)
        ]
        return [filled[1], filled[3], filled[0], filled[2], self.gauge(site), self.gauge(site)]

    def walk(self, query: PageQuery) -> list[Gauge]:
        found: list[Gauge] = []
        with self.unit_of_work(read_only=True) as work:
            while page := self.gauges(work).page(query):
                found += page
                query = PageQuery(
                    limit=query.limit,
                    order=query.order,
                    where=query.where,
                    after=query.position(page[-1]),
                )
        return found

    def test_every_kind_of_field_is_read_back(self) -> None:
        filled = {name: values[1] for name, values in VALUES.items()}
        for values in ({}, filled):
            stored = self.gauge(self.site(), **values)
            with self.unit_of_work(read_only=True) as work:
                found = self.gauges(work).get(stored.id)
            for name in declarations(Gauge):
                with self.subTest(name):
                    wanted, value = getattr(stored, name), getattr(found, name)
                    self.assertEqual((value, type(value)), (wanted, type(wanted)))

    def test_every_sort_is_kept_over_all_pages(self) -> None:
        rows = self.rows()
        for name in VALUES:
            for descends in (False, True):
                for nulls_first in (None, False, True):
                    key = SortKey(name, descends, nulls_first)
                    with self.subTest(key):
                        found = self.walk(PageQuery(limit=1, order=(key,)))
                        self.assertEqual(
                            [one.id for one in found], [one.id for one in _sorted(rows, key)]
                        )

    def test_every_filter_finds_what_fulfils_it(self) -> None:
        rows = self.rows()
        for name, values in VALUES.items():
            for operator, wanted, expected in (
                ("equal", values[0], [one for one in values if one == values[0]]),
                ("at_least", values[1], [one for one in values if one >= values[1]]),
                ("at_most", values[1], [one for one in values if one <= values[1]]),
                ("one_of", [values[0], values[3]], [v for v in values if v in values[::3]]),
                ("is_set", True, values),
                ("is_set", False, [None, None]),
            ):
                with self.subTest(name, operator=operator, wanted=wanted):
                    where = ((Comparison(name, operator), wanted),)  # type: ignore[arg-type]
                    found = self.walk(PageQuery(limit=1, order=(SortKey(name),), where=where))
                    self.assertEqual([getattr(one, name) for one in found], expected)
        self.assertEqual(len(rows), 6)

    def test_a_prefix_is_a_text_and_no_pattern(self) -> None:
        site = self.site()
        for text in ("50%", "50x", "a_b", "axb", "a\\b", "A"):
            self.gauge(site, text=text)
        for prefix, expected in (("50", 2), ("50%", 1), ("a_", 1), ("a\\", 1), ("a", 3), ("", 6)):
            with self.subTest(prefix):
                where = ((Comparison("text", "prefix"), prefix),)
                self.assertEqual(len(self.walk(PageQuery(limit=9, where=where))), expected)

    def test_one_is_found_by_what_it_refers_to(self) -> None:
        for name in ("here", "there"):
            self.gauge(self.site(name), text=name)
        where = ((Comparison("name", "equal", "site_id"), "there"),)
        self.assertEqual(
            [one.text for one in self.walk(PageQuery(limit=9, where=where))], ["there"]
        )

    def test_what_is_referred_to_has_to_exist(self) -> None:
        stored = self.gauge(self.site())
        with self.assertRaises(ValidationError) as raised, self.unit_of_work() as work:
            self.gauges(work).add(gauge(Site(name="never stored")))
        self.assertEqual(raised.exception.field, "site_id")
        with self.assertRaises(ValidationError) as raised, self.unit_of_work() as work:
            stored.site_id = uuid7()
            self.gauges(work).save(stored)
        self.assertEqual(raised.exception.field, "site_id")
        self.assertIn("sites", str(raised.exception))

    def test_what_is_referred_to_is_not_removed(self) -> None:
        site = self.site()
        stored = self.gauge(site)
        with self.assertRaisesRegex(ConflictError, "gauges"), self.unit_of_work() as work:
            self.sites(work).remove(site)
        with self.unit_of_work() as work:
            self.gauges(work).remove(stored)
            self.sites(work).remove(site)

    def test_what_is_stored_is_what_is_read(self) -> None:
        """A created entity has the ETag of the one that is read."""
        more = {"bb": {"b": -0.0, "a": 1e16}, "a": [1.50, 1e-7, True, None], "é": "", "ab": 2.0}
        values = {"price": Decimal("-0.0"), "maybe_price": Decimal(7), "more": more}
        stored = self.gauge(self.site(), **values)
        with self.unit_of_work(read_only=True) as work:
            found = self.gauges(work).get(stored.id)
        for name in values:
            with self.subTest(name):
                mine, read = (repr(getattr(one, name)) for one in (stored, found))
                self.assertEqual(mine, read)

    def test_a_unique_value_is_taken_once_and_finds_its_entity(self) -> None:
        site = self.site()
        stored = self.gauge(site, email="a@example.org")
        other = self.gauge(site)
        with self.assertRaises(DuplicateError) as added:
            self.gauge(site, email="A@example.org")
        with self.assertRaises(DuplicateError) as saved, self.unit_of_work() as work:
            other.email = stored.email
            self.gauges(work).save(other)
        with self.assertRaises(DuplicateError) as same, self.unit_of_work() as work:
            self.gauges(work).add(gauge(site, id=stored.id))
        fields = [raised.exception.fields for raised in (added, saved, same)]
        self.assertEqual(fields, [("email",), ("email",), ("id",)])
        with self.unit_of_work(read_only=True) as work:
            found = self.gauges(work).find(email=stored.email)
            self.assertEqual(found and found.id, stored.id)
            self.assertIsNone(self.gauges(work).find(email="b@example.org"))

    def test_a_duplicate_ends_the_unit_of_work_although_the_block_would_go_on(self) -> None:
        site = self.site()
        stored = self.gauge(site, email="a@example.org")
        other, lost = self.gauge(site), gauge(site)
        with self.assertRaises(DuplicateError), self.unit_of_work() as work:
            with suppress(DuplicateError):
                other.email = stored.email
                self.gauges(work).save(other)
            self.gauges(work).add(lost)
        self.assertEqual(other.version, 1)
        with self.unit_of_work(read_only=True) as work:
            self.assertFalse(self.gauges(work).exists(lost.id))

    def test_a_refusal_that_the_block_ignores_ends_the_unit_of_work(self) -> None:
        site = self.site()
        stored, lost = self.gauge(site, email="a@example.org"), gauge(site)
        refused: dict[str, Callable[[Any], None]] = {
            "a reference": lambda work: self.gauges(work).add(gauge(Site(name="never stored"))),
            "a removal": lambda work: self.sites(work).remove(site),
            "a duplicate": lambda work: self.gauges(work).add(gauge(site, email=stored.email)),
        }
        for what, act in refused.items():
            with self.subTest(what):
                with self.assertRaises(DomainError), self.unit_of_work() as work:
                    self.gauges(work).add(lost)
                    with suppress(Exception):
                        act(work)
                with self.unit_of_work(read_only=True) as work:
                    self.assertFalse(self.gauges(work).exists(lost.id))

    def test_many_are_read_by_their_ids(self) -> None:
        site = self.site()
        ids = [self.gauge(site).id for _ in range(3)]
        for lock in (False, True):
            with self.unit_of_work() as work:
                found = self.gauges(work).get_many([*ids, ids[0], uuid7()], lock=lock)
                self.assertEqual(self.gauges(work).get(ids[0], lock=lock).id, ids[0])
            self.assertEqual(list(found), sorted(ids))
        with self.unit_of_work(read_only=True) as work:
            self.assertEqual(self.gauges(work).get_many([]), {})
            self.assertTrue(self.gauges(work).exists(ids[0]))
            self.assertFalse(self.gauges(work).exists(uuid7()))

    def test_what_is_narrowed_away_does_not_exist_whatever_the_request_expects(self) -> None:
        stored = self.gauge(self.site(), text="ann's")
        for version in (1, 9):
            with (
                self.subTest(version),
                attempting(Attempt(stored.id, expecting(version))),
                self.unit_of_work() as work,
            ):
                theirs = self.gauges(work).where(text="bob's")
                with self.assertRaises(NotFoundError):
                    theirs.get(stored.id)
                self.assertEqual(theirs.get_many([stored.id]), {})
                self.assertFalse(theirs.exists(stored.id))
                self.assertIsNone(theirs.find(email=stored.email))
                self.assertEqual(theirs.page(PageQuery(limit=1)), [])
        with self.unit_of_work() as work:
            own = self.gauges(work).where(text="ann's")
            own.save(own.get(stored.id))
            with self.assertRaises(ConflictError):
                own.where(text="bob's").save(stored)
            with self.assertRaises(ValueError):
                own.add(gauge(Site(name="x"), text="bob's"))
        with (
            attempting(Attempt(stored.id, expecting(9))),
            self.unit_of_work() as work,
            self.assertRaises(PreconditionFailedError),
        ):
            self.gauges(work).where(text="ann's").get(stored.id)

    def test_it_knows_when_it_was_stored_and_changed(self) -> None:
        stored = self.gauge(self.site())
        self.assertEqual((stored.created_at, stored.updated_at), (StoppedClock.moment,) * 2)
        stored.created_at = stored.updated_at = NOON
        with self.unit_of_work() as work:
            self.gauges(work).save(stored)
            found = self.gauges(work).get(stored.id)
        self.assertEqual((found.created_at, found.updated_at), (NOON, StoppedClock.moment))

    def test_lists_are_stored_with_their_entity(self) -> None:
        steps = [Step(label="b"), Step(label="a", done=True)]
        site = self.site(steps=steps)
        with self.unit_of_work() as work:
            found = self.sites(work).get(site.id)
            self.assertEqual((found.steps, found.tag_ids), (steps, []))
            found.steps.append(Step(label="c"))
            del found.steps[0]
        with self.unit_of_work() as work:
            self.assertEqual(self.sites(work).get(site.id).steps, steps)
            self.sites(work).save(found)
        with self.unit_of_work() as work:
            found = self.sites(work).get(site.id)
            self.assertEqual([step.label for step in found.steps], ["a", "c"])
            self.sites(work).remove(found)

    def test_an_empty_list_is_stored_too(self) -> None:
        site = self.site(steps=[Step(label="a")])
        with self.unit_of_work() as work:
            site.steps.clear()
            self.sites(work).save(site)
        with self.unit_of_work(read_only=True) as work:
            self.assertEqual(self.sites(work).get(site.id).steps, [])


def _sorted(rows: list[Gauge], key: SortKey) -> list[Gauge]:
    filled = [one for one in rows if getattr(one, key.name) is not None]
    empty = [one for one in rows if getattr(one, key.name) is None]
    filled.sort(key=lambda one: (getattr(one, key.name), one.id), reverse=key.descends)
    empty.sort(key=lambda one: one.id, reverse=key.descends)
    return [*empty, *filled] if key.begins_with_nulls else [*filled, *empty]


class MemoryRepositoryTest(MemoryGauges, RepositoryContract):
    pass


class SqlRepositoryTest(SqlGauges, RepositoryContract):
    def statements(self) -> list[str]:
        found: list[str] = []

        def note(_: Any, __: Any, statement: str, *___: Any) -> None:
            found.append(statement.split(maxsplit=1)[0])

        for engine in (self.engines.read, self.engines.write):
            event.listen(engine, "before_cursor_execute", note)
        return found

    def test_lists_cost_as_many_statements_for_one_as_for_twenty(self) -> None:
        for _ in range(20):
            self.site(steps=[Step(label=str(number)) for number in range(50)])
        found = self.statements()
        for limit in (1, 20):
            found.clear()
            with self.unit_of_work(read_only=True) as work:
                self.assertEqual(len(self.sites(work).page(PageQuery(limit=limit))), limit)
            self.assertEqual(found, ["SELECT"] * 3)
        with self.unit_of_work() as work:
            sites = self.sites(work)
            [site] = sites.page(PageQuery(limit=1))
            for change, statements in (
                (list, ["UPDATE"]),
                (list.pop, ["UPDATE", "DELETE", "INSERT"]),
                (list.clear, ["UPDATE", "DELETE"]),
            ):
                found.clear()
                change(site.steps)
                sites.save(site)
                self.assertEqual(found, statements)

    def one(self) -> list[Site]:
        with self.unit_of_work(read_only=True) as work:
            return self.sites(work).page(PageQuery(limit=1))

    def test_tags_of_many_are_ids_that_have_to_exist(self) -> None:
        site = self.site()
        made = [Tag(name=name) for name in "ab"]
        work: Any
        with self.unit_of_work() as work:
            for tag in made:
                work.repository(tags, Tag).add(tag)
            site.tag_ids = [tag.id for tag in (*reversed(made), *made)]
            self.sites(work).save(site)
        [found] = self.one()
        self.assertEqual(found.tag_ids, sorted(tag.id for tag in made))
        self.assertEqual(site.tag_ids, found.tag_ids)
        with self.assertRaises(ValidationError) as raised, self.unit_of_work() as work:
            found.tag_ids.append(uuid7())
            self.sites(work).save(found)
        self.assertEqual(raised.exception.field, "tag_ids")
        with self.assertRaisesRegex(ConflictError, "site tags"), self.unit_of_work() as work:
            work.repository(tags, Tag).remove(made[0])


del RepositoryContract  # Only the two subclasses are run.

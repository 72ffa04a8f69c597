"""Pages are complete in every order: the same tests for both repositories."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from unittest import TestCase

from sqlalchemy import create_engine

from chassis.core.paging import PageQuery, SortKey
from chassis.core.persistence import Repository
from chassis.development.testing.database_cases import DatabaseTestCase
from chassis.development.testing.memory import MemoryRepository
from chassis.postgres.sql_repository import SqlRepository
from support.specimens import Specimen, specimens

ROWS = [("a", 1), ("b", 1), ("c", 2), ("d", 3), ("e", 2), ("f", 1), ("g", 2)]
# Each order for SQL and, in the same meaning, for Python's sorted().
ORDERS: dict[str, Callable[[Specimen], Any]] = {
    "": lambda one: one.id,
    "-id": lambda one: -one.id.int,
    "text": lambda one: one.text,
    "-text": lambda one: -ord(one.text),
    "version": lambda one: (one.version, one.id),
    "-version": lambda one: (-one.version, -one.id.int),
    "-version,text": lambda one: (-one.version, one.text),
    "version,-id": lambda one: (one.version, -one.id.int),
    "id,-text": lambda one: one.id,
}


def order(words: str) -> tuple[SortKey, ...]:
    names = [word for word in words.split(",") if word]
    return tuple(SortKey(name.removeprefix("-"), name.startswith("-")) for name in names)


class PagesContract(TestCase):
    repository: Repository[Specimen]

    @abstractmethod
    def connect(self) -> None: ...

    def setUp(self) -> None:
        super().setUp()
        self.connect()
        self.stored = [Specimen(text=text, version=version) for text, version in ROWS]
        for specimen in self.stored:
            self.repository.add(specimen)

    def walk(self, query: PageQuery) -> list[str]:
        found: list[Specimen] = []
        for _ in ROWS:
            page = self.repository.page(query)
            found += page
            if len(page) < query.limit:
                break
            query = replace(query, after=query.position(page[-1]))
        return [specimen.text for specimen in found]

    def test_every_order_is_kept_over_all_pages(self) -> None:
        for words, key in ORDERS.items():
            with self.subTest(words):
                expected = [specimen.text for specimen in sorted(self.stored, key=key)]
                self.assertEqual(self.walk(PageQuery(limit=2, order=order(words))), expected)

    def test_a_filter_leaves_out_the_others(self) -> None:
        for words, expected in (("text", "abf"), ("-text", "fba")):
            with self.subTest(words):
                query = PageQuery(limit=2, order=order(words)).narrow(version=1)
                self.assertEqual(self.walk(query), list(expected))

    def test_a_page_begins_behind_what_is_gone(self) -> None:
        query = PageQuery(limit=3, order=order("-version,text"))
        *_, last = self.repository.page(query)
        self.repository.remove(last)
        [following, *_] = self.repository.page(replace(query, after=query.position(last)))
        self.assertEqual((last.text, following.text), ("e", "g"))


class MemoryPagesTest(PagesContract):
    def connect(self) -> None:
        self.repository = MemoryRepository({})


class SqlPagesTest(DatabaseTestCase, PagesContract):
    def connect(self) -> None:
        engine = create_engine(self.database_url)
        self.addCleanup(engine.dispose)
        connection = self.enterContext(engine.connect())
        specimens.create(connection)
        self.repository = SqlRepository(connection, specimens, Specimen)


del PagesContract  # Only the two subclasses are run.

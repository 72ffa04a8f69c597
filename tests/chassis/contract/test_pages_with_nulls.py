"""Lists that are sorted by nullable columns have complete pages, and cheap last pages."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import permutations, product
from typing import Any

from sqlalchemy import Column, Index, Integer, MetaData, Table, Uuid, create_engine, event, text

from chassis.core.identity import uuid7
from chassis.core.model import Model
from chassis.core.paging import PageQuery, SortKey
from chassis.core.persistence import Repository
from chassis.development.testing.database_cases import DatabaseTestCase
from chassis.development.testing.memory import MemoryRepository
from chassis.postgres.sql_repository import SqlRepository

MANY, LIMIT = 200_000, 100
# Limit relative to the blocks of a first page: a page may be read from two parts of the index.
MOST = 2.1
FILL = text("""
    INSERT INTO chassis_parcels
    SELECT gen_random_uuid(), n % 1000, CASE WHEN n % 2 = 0 THEN n % 5000 END, NULL, 1
    FROM generate_series(1, :many) AS n
""")


@dataclass(eq=False, kw_only=True, slots=True)
class Parcel(Model):
    depot: int
    weight: int | None = None
    shelf: int | None = None


parcels = Table(
    "chassis_parcels",
    MetaData(),
    Column("id", Uuid, primary_key=True),
    Column("depot", Integer, nullable=False),
    Column("weight", Integer),
    Column("shelf", Integer),
    Column("version", Integer, nullable=False),
    Index("ix_chassis_parcels_weight_id", "weight", "id"),
)


def orders() -> Iterator[tuple[SortKey, ...]]:
    """Yield every order of up to three columns, in both directions, with nulls first and last."""
    names = ("weight", "shelf", "depot")
    for length in (1, 2, 3):
        for chosen in permutations(names, length):
            for descends in product((False, True), repeat=length):
                for nulls_first in (None, False, True):
                    keys = zip(chosen, descends, strict=True)
                    yield tuple(SortKey(name, down, nulls_first) for name, down in keys)


def walk(repository: Repository[Parcel], query: PageQuery) -> list[Any]:
    found: list[Parcel] = []
    while page := repository.page(query):
        found += page
        query = replace(query, after=query.position(page[-1]))
    return [parcel.id for parcel in found]


class PagesWithNullsTest(DatabaseTestCase):
    def setUp(self) -> None:
        super().setUp()
        engine = create_engine(self.database_url)
        self.addCleanup(engine.dispose)
        self.connection = self.enterContext(engine.connect())
        parcels.create(self.connection)
        self.repository = SqlRepository(self.connection, parcels, Parcel)

    def test_every_order_is_that_of_the_stand_in_over_all_pages(self) -> None:
        memory = MemoryRepository[Parcel]({})
        for weight, shelf in product((None, 1, 2), repeat=2):
            for depot in (1, 2):
                parcel = Parcel(depot=depot, weight=weight, shelf=shelf)
                self.repository.add(parcel)
                memory.add(parcel)
        every = list(orders())
        for order in every:
            query = PageQuery(limit=2, order=order)
            with self.subTest(order=order):
                self.assertEqual(walk(self.repository, query), walk(memory, query))
        self.assertEqual(len(every), 3 * (3 * 2 + 6 * 4 + 6 * 8))

    def test_a_position_of_which_a_value_is_gone_is_still_one(self) -> None:
        """A cursor with a null is still valid after its column became NOT NULL."""
        parcel = Parcel(depot=1)
        self.repository.add(parcel)
        query = PageQuery(limit=1, order=(SortKey("depot"),), after=(None, uuid7()))
        self.assertEqual(self.repository.page(query), [])

    def test_no_page_costs_much_more_than_the_first_of_a_list_without_nulls(self) -> None:
        self.connection.execute(FILL, {"many": MANY})
        self.connection.exec_driver_sql("ANALYZE chassis_parcels")
        one = self.blocks(PageQuery(limit=LIMIT, order=(SortKey("id"),)))
        for descends, nulls_first in product((False, True), (None, False, True)):
            order = (SortKey("weight", descends, nulls_first),)
            query = PageQuery(limit=LIMIT, order=order)
            low, middle, high = self.positions(query)
            for name, after in (("first", None), ("low", low), ("middle", middle), ("high", high)):
                with self.subTest(order=order, page=name):
                    self.assertLess(self.blocks(replace(query, after=after)), MOST * one)

    def positions(self, query: PageQuery) -> list[tuple[Any, ...]]:
        """Return positions among the values, just before the nulls, and among the nulls."""
        found = self.connection.exec_driver_sql("""
            WITH parcels AS (SELECT weight, id FROM chassis_parcels)
            (SELECT * FROM parcels WHERE weight = 2500 ORDER BY id LIMIT 1) UNION ALL
            (SELECT * FROM parcels WHERE weight IN (0, 4998) ORDER BY weight DESC LIMIT 1) UNION ALL
            (SELECT * FROM parcels WHERE weight IS NULL ORDER BY id OFFSET 50000 LIMIT 1)
        """)
        return [query.position(Parcel(depot=1, weight=weight, id=id_)) for weight, id_ in found]

    def blocks(self, query: PageQuery) -> int:
        """Return the number of blocks that the repository's statement reads."""
        with explained(self.connection) as plans:
            self.repository.page(query)
        [plan] = plans
        return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


@contextmanager
def explained(connection: Any) -> Iterator[list[Any]]:
    plans: list[Any] = []

    def explain(_: Any, cursor: Any, statement: str, values: Any, *__: Any) -> None:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", values)
        plans.append(cursor.fetchone()[0][0]["Plan"])

    event.listen(connection, "before_cursor_execute", explain)
    try:
        yield plans
    finally:
        event.remove(connection, "before_cursor_execute", explain)

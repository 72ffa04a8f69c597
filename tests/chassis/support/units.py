"""The real unit of work and the fake, for tests that run on both."""

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import TestCase

from sqlalchemy import text

from chassis.core.paging import PageQuery
from chassis.core.persistence import Repository, UnitOfWorkFactory
from chassis.core.request_scope import Attempt, current_scope
from chassis.development.testing.database_cases import DatabaseTestCase
from chassis.development.testing.memory import MemoryUnitOfWorkFactory, StoppedClock
from chassis.postgres.engines import Engines
from chassis.postgres.unit_of_work_factory import SqlUnitOfWorkFactory, SqlWork
from support.gauges import Gauge, Site, SqlSites, gauge, gauges, sites, tables
from support.specimens import Specimen, specimens


@contextmanager
def attempting(attempt: Attempt) -> Iterator[None]:
    """Run the block within this attempt to serve a request."""
    scope = current_scope()
    scope.attempt = attempt
    try:
        yield
    finally:
        scope.attempt = None


class UnitsTestCase(TestCase):
    unit_of_work: UnitOfWorkFactory[Any]

    @abstractmethod
    def specimens(self, work: Any) -> Repository[Specimen]: ...

    def stored(self, text: str = "first") -> Specimen:
        specimen = Specimen(text=text)
        with self.unit_of_work() as work:
            self.specimens(work).add(specimen)
        return specimen

    def texts(self) -> list[str]:
        with self.unit_of_work(read_only=True) as work:
            return [specimen.text for specimen in self.specimens(work).page(PageQuery(limit=10))]


class GaugeUnits(TestCase):
    """Units of work with repositories of gauges and sites."""

    unit_of_work: UnitOfWorkFactory[Any]

    @abstractmethod
    def repository(self, work: Any, kind: type[Any]) -> Repository[Any]: ...

    def gauges(self, work: Any) -> Repository[Gauge]:
        return self.repository(work, Gauge)

    def sites(self, work: Any) -> Repository[Site]:
        return self.repository(work, Site)

    def site(self, name: str = "x", **values: Any) -> Site:
        """Stored."""
        with self.unit_of_work() as work:
            site = Site(name=name, **values)
            self.sites(work).add(site)
        return site

    def gauge(self, site: Site, **values: Any) -> Gauge:
        """Stored."""
        with self.unit_of_work() as work:
            made = gauge(site, **values)
            self.gauges(work).add(made)
        return made


class MemoryGauges(GaugeUnits):
    def setUp(self) -> None:
        super().setUp()
        self.unit_of_work = MemoryUnitOfWorkFactory(tables)

    def repository(self, work: Any, kind: type[Any]) -> Repository[Any]:
        repository: Repository[Any] = work.repository(f"{kind.__name__.lower()}s")
        return repository


class SqlGauges(DatabaseTestCase, GaugeUnits):
    def setUp(self) -> None:
        super().setUp()
        self.engines = Engines.connect(self.database_url, name="tests", pool_size=2)
        self.addCleanup(self.engines.dispose)
        tables.create_all(self.engines.write)
        self.unit_of_work = SqlUnitOfWorkFactory(self.engines, SqlWork, clock=StoppedClock())

    def repository(self, work: Any, kind: type[Any]) -> Repository[Any]:
        if kind is Site:
            return SqlSites(work.connection, sites, Site)
        repository: Repository[Any] = work.repository(gauges, kind)
        return repository


class MemoryUnits(UnitsTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.unit_of_work = MemoryUnitOfWorkFactory()

    def specimens(self, work: Any) -> Repository[Specimen]:
        repository: Repository[Specimen] = work.repository("specimens")
        return repository


class SqlUnits(DatabaseTestCase, UnitsTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.engines = Engines.connect(self.database_url, name="tests", pool_size=2)
        self.addCleanup(self.engines.dispose)
        specimens.create(self.engines.write, checkfirst=True)
        self.unit_of_work = SqlUnitOfWorkFactory(self.engines, SqlWork)

    def specimens(self, work: Any) -> Repository[Specimen]:
        repository: Repository[Specimen] = work.repository(specimens, Specimen)
        return repository

    def execute(self, statement: str) -> Any:
        work: Any
        with self.unit_of_work() as work:
            result = work.connection.execute(text(statement))
            return result.scalar() if result.returns_rows else None

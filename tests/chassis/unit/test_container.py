"""A project's providers override the chassis's providers of the same name."""

from dataclasses import dataclass
from typing import Any
from unittest import TestCase

from dependency_injector.providers import List, Singleton

from chassis.container import ServiceContainer, replaces
from chassis.core.absent_database import NoMaintenanceWindows
from chassis.core.errors import UnavailableError
from chassis.core.probes import DatabaseProbe, ReadinessProbe, SchemaState
from chassis.maintenance.schema_probe import SqlDatabaseProbe
from support.configuration import CONFIG


class FixedProbe(DatabaseProbe):
    def schema_state(self) -> SchemaState:
        return SchemaState(current="7", required="7", behind=False)


class BrokerProbe(ReadinessProbe):
    def check(self) -> None:
        raise UnavailableError("The broker does not answer.")


@dataclass
class Parts:
    probe: Any
    health: Any
    engines: Any


class Base(ServiceContainer):
    """A container without changes."""


@replaces
class Own(ServiceContainer):
    database_probe = Singleton(FixedProbe)  # type: ignore[arg-type]
    readiness_probes = List(Singleton(BrokerProbe))
    parts = Singleton(
        Parts,
        ServiceContainer.database_probe,
        health=ServiceContainer.health_service,
        engines=ServiceContainer.engines,
    )


@replaces
class Stateful(ServiceContainer):
    unit_of_work = Singleton(dict)


@replaces
class Derived(Stateful):
    readiness_probes = List(Singleton(BrokerProbe))


class ContainerTest(TestCase):
    def setUp(self) -> None:
        self.container = Own(config=CONFIG)
        self.addCleanup(self.container.engines().dispose)

    def test_what_is_replaced_is_so_for_what_the_chassis_has_and_for_the_projects_own(self) -> None:
        parts, probe = self.container.parts(), self.container.database_probe()
        self.assertIsInstance(probe, FixedProbe)
        self.assertIs(parts.probe, probe)
        self.assertIs(parts.health._database, probe)
        self.assertIs(parts.health, self.container.health_service())
        self.assertIs(parts.engines, self.container.engines())

    def test_a_probe_of_the_project_is_asked_for_readiness(self) -> None:
        with self.assertRaisesRegex(UnavailableError, "broker"):
            self.container.health_service().readiness()

    def test_another_container_has_what_it_had(self) -> None:
        other = Base(config=CONFIG)
        self.addCleanup(other.engines().dispose)
        self.assertNotIsInstance(other.database_probe(), FixedProbe)
        self.assertFalse(other.readiness_probes())

    def test_without_a_unit_of_work_there_is_no_database(self) -> None:
        self.assertIsInstance(self.container.maintenance_windows(), NoMaintenanceWindows)
        self.assertIsNone(self.container.maintenance_service().current())

    def test_a_unit_of_work_is_inherited_with_its_database(self) -> None:
        for kind in (Stateful, Derived):
            container = kind(config=CONFIG)
            self.addCleanup(container.engines().dispose)
            self.assertIsInstance(container.database_probe(), SqlDatabaseProbe)
            self.assertEqual(container.unit_of_work(), {})

"""A project's providers take the place of those that every service has."""

from dataclasses import dataclass
from typing import Any
from unittest import TestCase

from dependency_injector.providers import List, Singleton

from chassis.container import ServiceContainer, replaces
from chassis.core.errors import UnavailableError
from chassis.core.probes import DatabaseProbe, ReadinessProbe, SchemaState
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
    """As it comes."""


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

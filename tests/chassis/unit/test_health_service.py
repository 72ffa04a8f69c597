from threading import Event
from unittest import TestCase
from unittest.mock import patch

from chassis.core.errors import UnavailableError
from chassis.core.health_service import TOLERATED_SECONDS, HealthService
from chassis.core.maintenance import Window, WindowPhase
from chassis.core.maintenance_service import MaintenanceService
from chassis.core.probes import DatabaseProbe, ReadinessProbe, SchemaState
from support.maintenance import fixed_windows, window

READY = SchemaState(current="0002", required="0002", behind=False)
BEHIND = SchemaState(current=None, required="0002", behind=True)


class FixedProbe(DatabaseProbe):
    def __init__(self, state: SchemaState | None) -> None:
        self.state = state

    def schema_state(self) -> SchemaState:
        if self.state is None:
            raise UnavailableError("It does not answer.")
        return self.state


class HangingProbe(FixedProbe):
    def __init__(self) -> None:
        super().__init__(READY)
        self.answers = Event()

    def schema_state(self) -> SchemaState:
        self.answers.wait()
        return super().schema_state()


class BrokerProbe(ReadinessProbe):
    def __init__(self, *, works: bool) -> None:
        self.works = works

    def check(self) -> None:
        if not self.works:
            raise UnavailableError("The broker does not answer.")


def health(
    probe: FixedProbe, open_window: Window | None = None, *more: ReadinessProbe
) -> HealthService:
    return HealthService(probe, MaintenanceService(fixed_windows(open_window), "a key"), more)


class HealthServiceTest(TestCase):
    def test_a_schema_that_is_new_enough_is_ready(self) -> None:
        self.assertEqual(health(FixedProbe(READY)).readiness().schema, READY)

    def test_each_probe_of_the_project_has_to_pass(self) -> None:
        good, bad = BrokerProbe(works=True), BrokerProbe(works=False)
        self.assertEqual(health(FixedProbe(READY), None, good).readiness().schema, READY)
        for probes in ((bad,), (good, bad)):
            with self.assertRaisesRegex(UnavailableError, "broker"):
                health(FixedProbe(READY), None, *probes).readiness()

    def test_a_schema_that_is_behind_is_not_ready(self) -> None:
        with self.assertRaisesRegex(UnavailableError, "at revision none, this release needs 0002"):
            health(FixedProbe(BEHIND)).readiness()

    def test_it_is_ready_while_a_migration_brings_the_schema_up(self) -> None:
        migrating = window(phase=WindowPhase.MIGRATING)
        self.assertEqual(health(FixedProbe(BEHIND), migrating).readiness().maintenance, migrating)

    def test_a_database_that_never_answered_is_not_ready(self) -> None:
        with self.assertRaises(UnavailableError):
            health(FixedProbe(None), window()).readiness()

    def test_a_database_that_answered_a_moment_ago_is_ready_and_later_is_not(self) -> None:
        probe = FixedProbe(READY)
        service = health(probe)
        service.readiness()
        probe.state = None
        self.assertEqual(service.readiness().schema, READY)
        with (
            patch("chassis.core.health_service.TOLERATED_SECONDS", -1),
            self.assertRaises(UnavailableError),
        ):
            service.readiness()
        self.assertGreater(TOLERATED_SECONDS, 0)

    def test_in_a_window_a_database_may_be_away_for_longer(self) -> None:
        probe = FixedProbe(READY)
        service = health(probe, window())
        service.readiness()
        probe.state = None
        with patch("chassis.core.health_service.TOLERATED_SECONDS", -1):
            self.assertEqual(service.readiness().schema, READY)

    @patch("chassis.core.health_service.ANSWER_SECONDS", 0.01)
    def test_a_database_that_hangs_is_not_ready_until_it_answers(self) -> None:
        probe = HangingProbe()
        self.addCleanup(probe.answers.set)
        service = health(probe)
        for _ in range(2):
            with self.assertRaisesRegex(UnavailableError, "does not answer"):
                service.readiness()
        probe.answers.set()
        with patch("chassis.core.health_service.ANSWER_SECONDS", 10):
            self.assertEqual(service.readiness().schema, READY)

from unittest import TestCase

from src.domain.exceptions import UnavailableError
from src.services.health_service import HealthService
from src.services.ports import DatabaseProbe, SchemaState


class FixedProbe(DatabaseProbe):
    def __init__(self, state: SchemaState) -> None:
        self._state = state

    def schema_state(self) -> SchemaState:
        return self._state


class HealthServiceTest(TestCase):
    def test_a_schema_that_is_new_enough_is_ready(self) -> None:
        state = SchemaState(current="0002", required="0002", behind=False)
        self.assertEqual(HealthService(FixedProbe(state)).readiness(), state)

    def test_a_schema_that_is_behind_is_not_ready(self) -> None:
        state = SchemaState(current=None, required="0002", behind=True)
        with self.assertRaisesRegex(UnavailableError, "at revision none, this release needs 0002"):
            HealthService(FixedProbe(state)).readiness()

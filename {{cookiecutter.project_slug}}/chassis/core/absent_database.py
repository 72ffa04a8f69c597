"""Readiness probe and maintenance windows of a service without a database."""

from typing import Any, NoReturn

from chassis.core.errors import ValidationError
from chassis.core.maintenance import MaintenanceWindows
from chassis.core.probes import DatabaseProbe, SchemaState


class NoDatabase(DatabaseProbe):
    """A service that needs none is ready without."""

    def schema_state(self) -> SchemaState:
        return SchemaState(current=None, required=None, behind=False)


class NoMaintenanceWindows(MaintenanceWindows):
    """Windows are rows. None is ever open, and none can be."""

    def current(self) -> None:
        return None

    def settle_orphan(self) -> None:
        """Return None: without a database there are no windows."""

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise ValidationError("This service has no database, so it has no maintenance windows.")

    start = schedule = end = cancel = events = _refuse

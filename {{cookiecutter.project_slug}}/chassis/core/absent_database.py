"""Readiness probe and maintenance windows of a service without a database."""

from typing import Any, NoReturn

from chassis.core.errors import ValidationError
from chassis.core.maintenance import MaintenanceWindows
from chassis.core.probes import DatabaseProbe, SchemaState


class NoDatabase(DatabaseProbe):
    """Reports that the service is ready: it needs no database."""

    def schema_state(self) -> SchemaState:
        return SchemaState(current=None, required=None, behind=False)


class NoMaintenanceWindows(MaintenanceWindows):
    """Windows are rows of a database, so no window is open here, and none can be opened."""

    def current(self) -> None:
        return None

    def settle_orphan(self) -> None:
        """Return None: without a database there are no windows."""

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise ValidationError("This service has no database, so it has no maintenance windows.")

    start = schedule = end = cancel = events = _refuse

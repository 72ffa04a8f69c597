import time
from dataclasses import dataclass

from src.domain.exceptions import UnavailableError
from src.domain.models.maintenance import Window, WindowPhase
from src.services.maintenance_service import MaintenanceService
from src.services.ports import DatabaseProbe, SchemaState

# A database that restarts is not a reason to take every instance out of service at once.
TOLERATED_SECONDS = 10
MIGRATING = {WindowPhase.MIGRATING, WindowPhase.FAILED}


@dataclass(frozen=True, slots=True)
class Readiness:
    schema: SchemaState
    maintenance: Window | None


class HealthService:
    def __init__(self, database: DatabaseProbe, maintenance: MaintenanceService) -> None:
        self._database = database
        self._maintenance = maintenance
        self._schema: SchemaState | None = None
        self._seen_at = 0.0

    def readiness(self) -> Readiness:
        """Raise UnavailableError if requests could not be served now.

        A window does not matter: an instance that was not ready could not say `Retry-After`.
        """
        window = self._maintenance.current()
        schema = self._schema_state(tolerant=window is not None and window.is_open)
        if schema.behind and not (window and window.phase in MIGRATING):
            raise UnavailableError(
                f"The database schema is at revision {schema.current or 'none'}, "
                f"this release needs {schema.required}."
            )
        return Readiness(schema, window)

    def _schema_state(self, *, tolerant: bool) -> SchemaState:
        try:
            self._schema = self._database.schema_state()
            self._seen_at = time.monotonic()
        except UnavailableError:
            late = time.monotonic() - self._seen_at > TOLERATED_SECONDS
            if self._schema is None or (late and not tolerant):
                raise
        return self._schema

import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Lock, Thread

from chassis.core.errors import UnavailableError
from chassis.core.maintenance import Window, WindowPhase
from chassis.core.maintenance_service import MaintenanceService
from chassis.core.probes import DatabaseProbe, ReadinessProbe, SchemaState

# A database that restarts makes an instance unready only after this time.
TOLERATED_SECONDS = 10
# A hanging database accepts a query and never answers; its own time limits do not end that.
ANSWER_SECONDS = 1.5
MIGRATING = {WindowPhase.MIGRATING, WindowPhase.FAILED}


@dataclass(frozen=True, slots=True)
class Readiness:
    schema: SchemaState
    maintenance: Window | None


class HealthService:
    def __init__(
        self,
        database: DatabaseProbe,
        maintenance: MaintenanceService,
        probes: Sequence[ReadinessProbe] = (),
    ) -> None:
        self._database = database
        self._probes = probes
        self._maintenance = maintenance
        self._schema: SchemaState | None = None
        self._seen_at = 0.0
        self._answer: Future[Readiness] | None = None
        self._asking = Lock()

    def readiness(self) -> Readiness:
        """Raise UnavailableError if requests could not be served now.

        A maintenance window does not count: only a ready instance can tell when to try again.
        """
        with self._asking:
            if self._answer is None or self._answer.done():
                self._answer = Future()
                Thread(target=self._ask, args=[self._answer], daemon=True).start()
            answer = self._answer
        try:
            return answer.result(ANSWER_SECONDS)
        except TimeoutError as error:
            raise UnavailableError("A dependency does not answer in time.") from error

    def _ask(self, answer: "Future[Readiness]") -> None:
        try:
            answer.set_result(self._look())
        except BaseException as error:  # Handed to the thread that asked, which raises it.
            answer.set_exception(error)

    def _look(self) -> Readiness:
        window = self._maintenance.current()
        schema = self._schema_state(tolerant=window is not None and window.is_open)
        if schema.behind and not (window and window.phase in MIGRATING):
            raise UnavailableError(
                f"The database schema is at revision {schema.current or 'none'}, "
                f"this release needs {schema.required}."
            )
        for probe in self._probes:
            probe.check()
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

"""A service with jobs, whose tasks write specimens and behave as a test sets."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis.core.maintenance_service import MaintenanceService
from chassis.jobs.in_process import run_due_jobs
from chassis.jobs.outbox import SqlJobs
from chassis.jobs.tasks import task
from chassis.maintenance.sql_maintenance_windows import SqlMaintenanceWindows
from chassis.postgres.engines import Engines
from chassis.postgres.unit_of_work_factory import SqlUnitOfWorkFactory, SqlWork
from support.specimens import Specimen, specimens
from support.windows import WindowTestCase

SECRET = "0123456789abcdefghijklmnopqrstuv"


class Work(SqlWork):
    def __init__(self, connection: Any) -> None:
        super().__init__(connection)
        self.jobs = SqlJobs(connection)
        self.specimens = self.repository(specimens, Specimen)


class Behaviour:
    """The behaviour of the task, which a test sets."""

    does: Callable[[str], Any] = staticmethod(lambda _text: None)


@task("tests.write", attempts=3)
def write(text: str) -> Any:
    return Behaviour.does(text)


@task("tests.identify")
def identify(one: UUID) -> dict[str, str]:
    return {"kind": type(one).__name__, "one": str(one)}


class JobsTestCase(WindowTestCase):
    engines: Engines

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.engines = Engines.connect(cls.database_url, name="tests", pool_size=2)
        cls.addClassCleanup(cls.engines.dispose)
        specimens.create(cls.engines.write)

    def setUp(self) -> None:
        super().setUp()
        self.unit_of_work = SqlUnitOfWorkFactory(self.engines, Work)
        self.windows = SqlMaintenanceWindows(self.engines.watch, self.database_url, "cli")
        self.container = SimpleNamespace(
            unit_of_work=lambda: self.unit_of_work,
            engines=lambda: self.engines,
            maintenance_service=lambda: MaintenanceService(self.windows, SECRET),
        )
        Behaviour.does = self.write

    def write(self, text: str) -> None:
        with self.unit_of_work() as work:
            work.specimens.add(Specimen(text=text))

    def enqueue(self, text: str = "done", **options: Any) -> UUID:
        with self.unit_of_work() as work:
            job_id: UUID = work.jobs.enqueue("tests.write", {"text": text}, **options).id
        return job_id

    def run_due(self) -> int:
        return run_due_jobs(self.container)

    def texts(self) -> list[str]:
        return sorted(self.execute("SELECT text FROM specimens"))

    def state(self, job_id: UUID) -> tuple[str, int]:
        """Return the state of the job and the number of its attempts."""
        statement = "SELECT state || ' ' || attempts FROM ops.job WHERE id = :id"
        state, attempts = self.execute(statement, id=job_id)[0].split()
        return state, int(attempts)

    def execute(self, statement: str, **values: Any) -> list[Any]:
        """Run a statement; return the first column of its rows."""
        with self.engines.write.begin() as connection:
            result = connection.execute(text(statement), values)
            return list(result.scalars()) if result.returns_rows else []

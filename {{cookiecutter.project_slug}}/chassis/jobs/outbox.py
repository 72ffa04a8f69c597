"""`work.jobs`: a job is a row of the unit of work's own transaction (transactional outbox)."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Connection, Row

from chassis.core.attempt import note_saved, require
from chassis.core.errors import ConflictError, NotFoundError
from chassis.core.identity import uuid7
from chassis.core.jobs import Job, Jobs, JobState
from chassis.jobs.tasks import task_named
from chassis.jobs.tracing import current_trace
from chassis.postgres.ops_schema import OpsText

COLUMNS = "id, task, state, attempts, result, error, created_at, not_before, finished_at, version"
ENQUEUE = OpsText(f"""
    WITH job AS (
        INSERT INTO ops.job (id, task, arguments, owner, trace, not_before)
        VALUES (:id, :task, CAST(:arguments AS jsonb), :owner, :trace,
            coalesce(:not_before, now()))
        RETURNING {COLUMNS}
    ), message AS (
        INSERT INTO ops.outbox (job_id, not_before) SELECT id, not_before FROM job
    )
    SELECT {COLUMNS} FROM job
""")  # noqa: S608
FIND = OpsText(f"SELECT {COLUMNS} FROM ops.job WHERE id = :id AND owner = :owner")  # noqa: S608
CANCEL = OpsText(f"""
    UPDATE ops.job SET state = 'cancelled', finished_at = now(), version = version + 1
    WHERE id = :id AND owner = :owner AND state = 'queued' RETURNING {COLUMNS}
""")  # noqa: S608


class SqlJobs(Jobs):
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def enqueue(
        self,
        task: str,
        arguments: Mapping[str, object] | None = None,
        *,
        owner: str | None = None,
        not_before: datetime | None = None,
    ) -> Job:
        arguments = arguments or {}
        task_named(task).require(arguments)
        return self._one(
            ENQUEUE,
            id=uuid7(),
            task=task,
            arguments=to_json(arguments),
            owner=owner,
            trace=current_trace(),
            not_before=not_before,
        )

    def get(self, job_id: UUID, *, owner: str) -> Job:
        job = self._one(FIND, id=job_id, owner=owner)
        require(job.id, job.version, job)
        return job

    def cancel(self, job_id: UUID, *, owner: str) -> Job:
        """Cancel a queued job. Its message may still arrive: the runner skips a cancelled job."""
        job = self.get(job_id, owner=owner)
        try:
            cancelled = self._one(CANCEL, id=job_id, owner=owner)
        except NotFoundError:
            raise ConflictError(f"The job is {job.state}, not queued any more.") from None
        note_saved(cancelled.id, cancelled.version)
        return cancelled

    def _one(self, statement: Any, **values: Any) -> Job:
        row = self._connection.execute(statement, values).first()
        if row is None:
            raise NotFoundError(f"There is no job {values['id']}.")
        return _job(row)


def to_json(value: object) -> str:
    """Encode arguments or a result. Raise TypeError for types that `enqueue` does not name."""
    return orjson.dumps(value, default=_decimal, option=orjson.OPT_PASSTHROUGH_DATACLASS).decode()


def _decimal(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be an argument of a job: pass an id.")


def _job(row: Row[Any]) -> Job:
    values = dict(row._mapping)  # noqa: SLF001  # The attribute is public in spite of its name.
    return Job(**{**values, "state": JobState(values["state"])})

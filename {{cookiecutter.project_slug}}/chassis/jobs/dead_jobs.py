"""Dead jobs: their last attempt failed. Operators list, requeue or drop them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Uuid

from chassis.postgres.ops_schema import OpsText

CHOSEN = "state = 'failed' AND (id = ANY(:ids) OR task = :task)"
IDS = bindparam("ids", type_=ARRAY(Uuid))
ALL = OpsText("""
    SELECT id, task, attempts, finished_at, error FROM ops.job
    WHERE state = 'failed' AND (task = :task OR CAST(:task AS text) IS NULL) ORDER BY finished_at
""")
REQUEUE = OpsText(f"""
    WITH job AS (
        UPDATE ops.job SET state = 'queued', attempts = 0, version = version + 1,
            changed_at = now(), not_before = now(), finished_at = NULL
        WHERE {CHOSEN} RETURNING id)
    INSERT INTO ops.outbox (job_id) SELECT id FROM job
""").bindparams(IDS)  # noqa: S608
DROP = OpsText(f"DELETE FROM ops.job WHERE {CHOSEN}").bindparams(IDS)  # noqa: S608


class DeadJobs:
    def __init__(self, unit_of_work: Any) -> None:
        self._unit_of_work = unit_of_work

    def all(self, task: str | None = None) -> Sequence[Row[Any]]:
        """Return the dead jobs of a task, or of all tasks, in the order in which they failed."""
        with self._unit_of_work() as work:
            jobs: Sequence[Row[Any]] = work.connection.execute(ALL, {"task": task}).all()
        return jobs

    def requeue(self, ids: Sequence[UUID], task: str | None = None) -> int:
        """Queue the jobs again, and count their attempts from 0; return the number of jobs."""
        return self._change(REQUEUE, ids, task)

    def drop(self, ids: Sequence[UUID], task: str | None = None) -> int:
        """Delete the jobs; return how many there were."""
        return self._change(DROP, ids, task)

    def _change(self, statement: Any, ids: Sequence[UUID], task: str | None) -> int:
        with self._unit_of_work() as work:
            changed = work.connection.execute(statement, {"ids": list(ids), "task": task})
            return int(changed.rowcount)

"""A relay's periodic work: it enqueues periodic tasks, republishes lost jobs, deletes old ones."""

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import Connection

from chassis.jobs.outbox import SqlJobs
from chassis.jobs.tasks import Task, all_tasks
from chassis.postgres.locks import lock_key
from chassis.postgres.ops_schema import OpsText, ops_schema

KEPT_DAYS = 30
# An unfinished job that was due for so long without a change is published again. Where its first
# message still waits in a long queue, two messages exist, and the second finds the job done.
LOST_MINUTES = 60
LOCK = OpsText("SELECT pg_try_advisory_xact_lock(:key)")
# A periodic task is due at each multiple of its period since 1970-01-01 in UTC, plus its offset.
NEXT = """
    to_timestamp((floor((extract(epoch FROM now()) - :offset) / :every) + 1) * :every + :offset)
"""
DECLARE = OpsText(f"""
    INSERT INTO ops.periodic_task (task, next_at) VALUES (:task, {NEXT}) ON CONFLICT DO NOTHING
""")  # noqa: S608
DUE = OpsText(f"""
    UPDATE ops.periodic_task SET next_at = {NEXT} WHERE task = :task AND next_at <= now()
    AND NOT EXISTS (SELECT FROM ops.job WHERE id = job_id AND finished_at IS NULL) RETURNING task
""")  # noqa: S608
REMEMBER = OpsText("UPDATE ops.periodic_task SET job_id = :id WHERE task = :task")
AGAIN = OpsText("""
    INSERT INTO ops.outbox (job_id, not_before)
    SELECT id, greatest(not_before, now() + interval '10 seconds') FROM ops.job
    WHERE id = :id AND finished_at IS NULL
""")
LOST = OpsText(f"""
    WITH lost AS (
        UPDATE ops.job SET changed_at = now() WHERE finished_at IS NULL
        AND greatest(changed_at, not_before) < now() - interval '{LOST_MINUTES} minutes'
        AND NOT EXISTS (SELECT FROM ops.outbox WHERE job_id = job.id) RETURNING id)
    INSERT INTO ops.outbox (job_id) SELECT id FROM lost
""")  # noqa: S608
# Failed jobs stay until an operator requeues or drops them.
SWEEP = OpsText(f"""
    DELETE FROM ops.job WHERE id IN (
        SELECT id FROM ops.job WHERE state IN ('done', 'cancelled')
        AND finished_at < now() - interval '{KEPT_DAYS} days' ORDER BY finished_at LIMIT 1000)
""")  # noqa: S608


def housekeep(connection: Connection, returned: Iterator[UUID]) -> None:
    """Do the periodic work in the caller's transaction, unless another relay is doing it.

    `returned` yields the jobs whose messages the broker dead-lettered.
    """
    if not connection.execute(LOCK, {"key": lock_key("jobs", ops_schema(connection))}).scalar_one():
        return
    for job_id in returned:
        connection.execute(AGAIN, {"id": job_id})
    connection.execute(LOST)
    connection.execute(SWEEP)
    for task in all_tasks():
        if task.every:
            _enqueue_due(connection, task, task.every.total_seconds())


def _enqueue_due(connection: Connection, task: Task, seconds: float) -> None:
    """Enqueue at most one job, also where several periods passed since the last one."""
    values = {"task": task.name, "every": seconds, "offset": task.offset.total_seconds()}
    connection.execute(DECLARE, values)
    if connection.execute(DUE, values).first():
        job = SqlJobs(connection).enqueue(task.name)
        connection.execute(REMEMBER, {"task": task.name, "id": job.id})

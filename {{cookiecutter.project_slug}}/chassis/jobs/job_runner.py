"""Runs one attempt of a job. One transaction commits the task's effect and the state `done`."""

import logging
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from chassis.core.errors import CodeError, DomainError, MaintenanceError
from chassis.core.maintenance_service import retry_after
from chassis.core.request_scope import enter_scope, leave_scope
from chassis.jobs.outbox import to_json
from chassis.jobs.tasks import Task, task_named
from chassis.jobs.tracing import continued_trace
from chassis.postgres.error_translation import translated_errors
from chassis.postgres.ops_schema import OpsText

LONGEST_PAUSE_SECONDS = 600
LONGEST_ERROR = 500
KILLED = "The process of the last attempt was killed, or ended by itself."
# Two workers may get the same message. The number of the attempt tells which attempt is the latest.
START = OpsText("""
    UPDATE ops.job SET state = 'running', attempts = attempts + 1, version = version + 1,
        changed_at = now()
    WHERE id = :id AND state IN ('queued', 'running') RETURNING task, arguments, attempts, trace
""")
FINISH = OpsText("""
    UPDATE ops.job SET state = 'done', result = CAST(:result AS jsonb), error = NULL,
        version = version + 1, changed_at = now(), finished_at = now()
    WHERE id = :id AND state = 'running' AND attempts = :attempts RETURNING id
""")
AGAIN = OpsText("""
    WITH job AS (
        UPDATE ops.job SET state = 'queued', attempts = attempts - :uncounted,
            error = coalesce(:error, error), version = version + 1, changed_at = now(),
            not_before = now() + make_interval(secs => :seconds)
        WHERE id = :id AND state IN ('queued', 'running')
            AND attempts = coalesce(CAST(:attempts AS integer), attempts)
        RETURNING id, not_before)
    INSERT INTO ops.outbox (job_id, not_before) SELECT id, not_before FROM job
""")
FAIL = OpsText("""
    UPDATE ops.job SET state = 'failed', attempts = attempts - :uncounted, error = :error,
        version = version + 1, changed_at = now(), finished_at = now()
    WHERE id = :id AND state = 'running' AND attempts = :attempts
""")

_log = logging.getLogger(__name__)


class SupersededError(Exception):
    """The attempt may not commit: the job is done, cancelled, or a later attempt has begun."""


@dataclass(frozen=True, slots=True)
class Attempt:
    id: UUID
    task: str
    arguments: dict[str, Any]
    attempts: int  # This one included.
    trace: str | None


class JobRunner:
    def __init__(self, container: Any, tracer: Any = None) -> None:
        """`container` is the project's, which has `unit_of_work` and `engines`."""
        self._unit_of_work = container.unit_of_work()
        self._write = container.engines().write
        self._tracer = tracer

    def run(self, job_id: UUID) -> None:
        """Make one attempt, unless the job is finished, and store its outcome.

        Raise UnavailableError where the outcome cannot be stored: then the message has to be
        delivered again.
        """
        enter_scope(None)
        try:
            try:
                attempt = self._start(job_id)
            except MaintenanceError as error:
                self._again(job_id, retry_after(error.window))
            else:
                if attempt:
                    self._make(attempt)
        finally:
            leave_scope()

    def _start(self, job_id: UUID) -> Attempt | None:
        with self._unit_of_work() as work:
            row = work.connection.execute(START, {"id": job_id}).first()
        return Attempt(job_id, *row) if row else None

    def _make(self, attempt: Attempt) -> None:
        try:
            task = task_named(attempt.task)
            if attempt.attempts > task.attempts:
                _log.error("Job %s failed. %s", attempt.id, KILLED)
                self._end(attempt, KILLED, uncounted=1)
            else:
                self._call(task, attempt)
        except SupersededError:
            _log.info("Job %s was finished, or another attempt began, in the meantime.", attempt.id)
        except MaintenanceError as error:
            self._again(attempt.id, retry_after(error.window), attempt, uncounted=1)
        except Exception as error:
            _log.exception("Attempt %s of job %s failed.", attempt.attempts, attempt.id)
            self._failed(attempt, error)

    def _call(self, task: Task, attempt: Attempt) -> None:
        with (
            continued_trace(self._tracer, task.name, str(attempt.id), attempt.trace),
            self._unit_of_work.joined(_itself, reads_apart=True) as connection,
        ):
            result = task.call(attempt.arguments)
            _finish(connection, attempt, result)
        _log.info("Job %s of task %s is done.", attempt.id, attempt.task)

    def _failed(self, attempt: Attempt, error: Exception) -> None:
        sentence = str(error) if isinstance(error, DomainError) else type(error).__name__
        try:
            most = task_named(attempt.task).attempts
        except CodeError:
            most = 0  # The task exists in another release only, or no longer.
        if attempt.attempts < most:
            pause = _jittered(min(2.0**attempt.attempts, LONGEST_PAUSE_SECONDS))
            self._again(attempt.id, pause, attempt, error=sentence)
        else:
            self._end(attempt, sentence)

    def _end(self, attempt: Attempt, error: str, *, uncounted: int = 0) -> None:
        values = {"id": attempt.id, "attempts": attempt.attempts, "uncounted": uncounted}
        with self._noting() as connection:
            connection.execute(FAIL, {**values, "error": error[:LONGEST_ERROR]})

    def _again(
        self,
        job_id: UUID,
        seconds: float,
        attempt: Attempt | None = None,
        *,
        uncounted: int = 0,
        error: str | None = None,
    ) -> None:
        values = {"id": job_id, "seconds": seconds, "uncounted": uncounted}
        values |= {"attempts": attempt.attempts if attempt else None}
        with self._noting() as connection:
            connection.execute(AGAIN, {**values, "error": error and error[:LONGEST_ERROR]})

    @contextmanager
    def _noting(self) -> Iterator[Connection]:
        """A transaction without the write fence: maintenance windows do not stop outcomes."""
        with translated_errors(), self._write.begin() as connection:
            yield connection


def _finish(connection: Connection, attempt: Attempt, result: Any) -> None:
    """Mark the job done in the effect's own transaction.

    Raise SupersededError, which rolls the effect back, where this is not the latest attempt.
    """
    values = {"id": attempt.id, "attempts": attempt.attempts}
    stored = None if result is None else to_json(result)
    if connection.execute(FINISH, {**values, "result": stored}).first() is None:
        raise SupersededError


def _itself(connection: Connection) -> Connection:
    return connection


def _jittered(seconds: float) -> float:
    return seconds * random.uniform(1, 1.2)  # noqa: S311

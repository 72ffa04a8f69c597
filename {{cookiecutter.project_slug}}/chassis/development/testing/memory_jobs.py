"""A fake of `work.jobs` for unit tests: it records jobs and runs none."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from chassis.core.attempt import note_saved, require
from chassis.core.errors import ConflictError, NotFoundError
from chassis.core.identity import uuid7
from chassis.core.jobs import Job, Jobs, JobState
from chassis.core.persistence import Clock
from chassis.jobs.outbox import to_json
from chassis.jobs.tasks import task_named
from chassis.project import current_project


@cache
def _import_tasks() -> None:
    """Import the tasks: a unit test makes no container, which would register them."""
    project = current_project()
    for name in project.modules("tasks"):
        project.module(f"tasks.{name}")


class MemoryJobs(Jobs):
    def __init__(self, rows: Any, clock: Clock) -> None:
        """`rows` maps the id of a job to the job, its owner and its arguments."""
        self._rows = rows
        self._clock = clock

    @property
    def enqueued(self) -> list[tuple[str, dict[str, object]]]:
        """List the task and the arguments of each enqueued job, in order."""
        return [(job.task, arguments) for job, _, arguments in self._rows.values()]

    def enqueue(
        self,
        task: str,
        arguments: Mapping[str, object] | None = None,
        *,
        owner: str | None = None,
        not_before: datetime | None = None,
    ) -> Job:
        _import_tasks()
        copied = dict(arguments or {})
        task_named(task).require(copied)
        to_json(copied)
        now = self._clock.now()
        job = Job(
            id=uuid7(),
            task=task,
            state=JobState.QUEUED,
            attempts=0,
            result=None,
            error=None,
            created_at=now,
            not_before=not_before or now,
            finished_at=None,
            version=1,
        )
        self._rows[job.id] = (job, owner, copied)
        return job

    def get(self, job_id: UUID, *, owner: str) -> Job:
        job, own, _ = self._rows.get(job_id, (None, None, None))
        if job is None or own != owner:
            raise NotFoundError(f"There is no job {job_id}.")
        require(job_id, job.version, job)
        result: Job = job
        return result

    def cancel(self, job_id: UUID, *, owner: str) -> Job:
        job = self.get(job_id, owner=owner)
        if job.state is not JobState.QUEUED:
            raise ConflictError(f"The job is {job.state}, not queued any more.")
        now, version = self._clock.now(), job.version + 1
        cancelled = replace(job, state=JobState.CANCELLED, finished_at=now, version=version)
        self._rows[job_id] = (cancelled, owner, self._rows[job_id][2])
        note_saved(job_id, version)
        return cancelled

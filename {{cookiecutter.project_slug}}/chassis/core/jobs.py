"""Background jobs: enqueued in a transaction, run after its commit."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from chassis.core.persistence import UnitOfWorkFactory


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One call of a task. `attempts` counts the attempts that began, `version` the changes."""

    id: UUID
    task: str
    state: JobState
    attempts: int
    result: dict[str, Any] | None  # What the task returned.
    error: str | None  # Why the last attempt failed, a sentence for the owner.
    created_at: datetime
    not_before: datetime
    finished_at: datetime | None
    version: int

    @property
    def is_finished(self) -> bool:
        return self.state not in {JobState.QUEUED, JobState.RUNNING}


class Jobs(ABC):
    """`work.jobs`: a job is committed or rolled back with the rest of the unit of work."""

    @abstractmethod
    def enqueue(
        self,
        task: str,
        arguments: Mapping[str, object] | None = None,
        *,
        owner: str | None = None,
        not_before: datetime | None = None,
    ) -> Job:
        """Call the task with these arguments after the commit, not before `not_before`.

        An argument is a JSON value, a UUID, a date, an aware datetime or a Decimal. `owner` is the
        subject that may read and cancel the job; without an owner nobody may. Raise CodeError where
        there is no such task, or it takes other arguments.
        """

    @abstractmethod
    def get(self, job_id: UUID, *, owner: str) -> Job:
        """Return the owner's job. Raise NotFoundError where there is none."""

    @abstractmethod
    def cancel(self, job_id: UUID, *, owner: str) -> Job:
        """Cancel a queued job.

        Raise NotFoundError as `get` does, ConflictError if the job is not queued.
        """


@dataclass(frozen=True, slots=True)
class JobFigures:
    """Counts of the present; `finished` and `latencies` cover the last five minutes."""

    waiting: int
    running: int
    dead: int
    oldest_seconds: float  # How long the oldest job that is due has waited.
    finished: dict[str, int]  # By state.
    latencies: dict[str, float]  # By quantile: seconds from the time a job was due to its end.


class JobStatistics(ABC):
    @abstractmethod
    def figures(self) -> JobFigures:
        """Count the jobs. Raise UnavailableError where the database does not answer."""


class JobService:
    """Lets an owner read and cancel a job."""

    def __init__(self, unit_of_work: UnitOfWorkFactory[Any]) -> None:
        """`unit_of_work` makes units of work that have `jobs`."""
        self._unit_of_work = unit_of_work

    def read(self, job_id: UUID, *, owner: str) -> Job:
        with self._unit_of_work(read_only=True) as work:
            job: Job = work.jobs.get(job_id, owner=owner)
        return job

    def cancel(self, job_id: UUID, *, owner: str) -> Job:
        with self._unit_of_work() as work:
            cancelled: Job = work.jobs.cancel(job_id, owner=owner)
        return cancelled

"""Work for later: enqueued in a transaction, done once after its commit."""

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
    """One call of a task. `attempts` counts those that began, `version` each change."""

    id: UUID
    task: str
    state: JobState
    attempts: int
    result: dict[str, Any] | None  # What the task returned.
    error: str | None  # Of the last attempt that failed: a sentence for its owner.
    created_at: datetime
    not_before: datetime
    finished_at: datetime | None
    version: int

    @property
    def is_finished(self) -> bool:
        return self.state not in {JobState.QUEUED, JobState.RUNNING}


class Jobs(ABC):
    """The jobs of a unit of work: what is enqueued is committed, or not, with everything else."""

    @abstractmethod
    def enqueue(
        self,
        task: str,
        arguments: Mapping[str, object] | None = None,
        *,
        owner: str | None = None,
        not_before: datetime | None = None,
    ) -> Job:
        """Have a task called with these arguments once this has committed, or later.

        An argument is what JSON has, a UUID, a date, an aware datetime or a Decimal. `owner` is the
        subject who may ask for the job; without one nobody may. Raise CodeError if there is no such
        task, or it takes other arguments.
        """

    @abstractmethod
    def get(self, job_id: UUID, *, owner: str) -> Job:
        """Raise NotFoundError if this owner has no such job."""

    @abstractmethod
    def cancel(self, job_id: UUID, *, owner: str) -> Job:
        """Raise NotFoundError as `get` does, ConflictError unless the job is queued."""


@dataclass(frozen=True, slots=True)
class JobFigures:
    """Of this moment; `finished` and `latencies` are those of the last five minutes."""

    waiting: int
    running: int
    dead: int
    oldest_seconds: float  # For which the first of those that could begin has waited.
    finished: dict[str, int]  # By state.
    latencies: dict[str, float]  # By quantile: seconds from when a job could begin to its end.


class JobStatistics(ABC):
    @abstractmethod
    def figures(self) -> JobFigures:
        """Raise UnavailableError if they cannot be read now."""


class JobService:
    """What an owner may ask of a job."""

    def __init__(self, unit_of_work: UnitOfWorkFactory[Any]) -> None:
        """The units of work have `jobs`."""
        self._unit_of_work = unit_of_work

    def get(self, job_id: UUID, *, owner: str) -> Job:
        with self._unit_of_work(read_only=True) as work:
            found: Job = work.jobs.get(job_id, owner=owner)
        return found

    def cancel(self, job_id: UUID, *, owner: str) -> Job:
        with self._unit_of_work() as work:
            cancelled: Job = work.jobs.cancel(job_id, owner=owner)
        return cancelled

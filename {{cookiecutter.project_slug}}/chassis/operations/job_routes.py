from typing import Annotated
from uuid import UUID

from dependency_injector.wiring import Provide, inject

from chassis.core.jobs import Job, JobService
from chassis.http.access.policies import principal
from chassis.http.flow.blueprint import Blueprint
from chassis.schemas.job import JobOutput

blueprint = Blueprint("jobs", __name__, url_prefix="/jobs")

Jobs = Annotated[JobService, Provide["job_service"]]
RETRY_SECONDS = "1"


@blueprint.get("/<uuid:job_id>")
@blueprint.requires("jobs:read")
@blueprint.response(200, JobOutput)
@inject
def read_job(job_id: UUID, jobs: Jobs) -> tuple[Job, dict[str, str]]:
    """How far a job of the caller's is."""
    job = jobs.read(job_id, owner=principal().subject)
    return job, {} if job.is_finished else {"Retry-After": RETRY_SECONDS}


@blueprint.post("/<uuid:job_id>/cancel")
@blueprint.requires("jobs:write")
@blueprint.response(200, JobOutput)
@inject
def cancel_job(job_id: UUID, jobs: Jobs) -> Job:
    """Cancel a job that no worker has begun."""
    return jobs.cancel(job_id, owner=principal().subject)

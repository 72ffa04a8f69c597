from typing import Any

from flask import url_for  # For the URL of a job.

from chassis.core.jobs import Job
from chassis.http.output.problems import Problem


def created(entity: Any, location: str) -> tuple[Any, dict[str, str]]:
    """The response to a POST: the new entity and its URL (RFC 9110, section 15.3.2)."""
    return entity, {"Location": location}


def accepted(job: Job) -> tuple[Any, dict[str, str]]:
    """The response to a request that a job does later: the job and its URL (RFC 9110, 15.3.3)."""
    return job, {"Location": url_for("jobs.read_job", job_id=job.id), "Retry-After": "1"}


def problem_body(problem: Problem) -> dict[str, Any]:
    """The JSON body of every error (RFC 9457)."""
    body = {
        "type": problem.kind,
        "title": problem.kind.replace("-", " ").capitalize(),
        "status": problem.status,
        "detail": problem.detail,
        "instance": problem.instance,
        "request_id": problem.request_id,
    }
    if problem.errors:
        body["errors"] = problem.errors
    return {**body, **problem.more}

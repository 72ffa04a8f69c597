"""Kill all processes of background jobs at random: each committed job has its effect once.

python -m proofs.jobs [--short | --shutdown | --leaderless | --bench] [--project DIR]
                      [--broker docker|debian]

While 3,000 requests enqueue a job each, of which 1,000 are rolled back, API, relay, worker and
RabbitMQ are killed 50 times with SIGKILL, and API, relay and worker end 10 times by SIGTERM. A
maintenance window is open for a while. Then the broker is frozen. Then each process gets SIGTERM
in the middle of a job (`--shutdown`: this part only). At last a broker is killed right after its
queue was made (`--leaderless`: this part only), and docs/jobs.md's commands repair it. `--bench`
measures instead: jobs per second through outbox, relay and broker, compared with `send_task` after
the commit, and what an enqueue adds to the time of a write.
"""

from pathlib import Path

from proofs.harness.entry import parser, run_in, temporary_folder
from proofs.harness.generation import generate_only, prepare
from proofs.harness.processes import run_main

TASK = """import time
from typing import Annotated, Any

from dependency_injector.wiring import Provide, inject
from sqlalchemy import text

from chassis.jobs.tasks import task

Units = Annotated[Any, Provide["unit_of_work"]]


@task("proof.effect", attempts=100)
@inject
def make_effect(number: int, units: Units) -> None:
    with units() as work:
        work.connection.execute(text("INSERT INTO effects VALUES (:n)"), {"n": number})


@task("proof.slow", attempts=100)
@inject
def make_effect_slowly(number: int, milliseconds: int, units: Units) -> None:
    time.sleep(milliseconds / 1000)
    with units() as work:
        work.connection.execute(text("INSERT INTO effects VALUES (:n)"), {"n": number})
"""
CONTROLLER = """from typing import Annotated, Any

from dependency_injector.wiring import Provide, inject
from flask import abort
from sqlalchemy import text

from chassis.http.flow.blueprint import Blueprint

blueprint = Blueprint("proof", __name__, url_prefix="/proof")
Units = Annotated[Any, Provide["unit_of_work"]]


@blueprint.post("/<int:number>")
@blueprint.public
@blueprint.response(202)
@inject
def enqueue(number: int, units: Units) -> None:
    with units() as work:
        work.connection.execute(text("INSERT INTO intents VALUES (:n)"), {"n": number})
        work.jobs.enqueue("proof.effect", {"number": number})
        if number % 3 == 0:
            abort(409)


@blueprint.post("/slow/<int:number>/<int:milliseconds>")
@blueprint.public
@blueprint.response(202)
@inject
def enqueue_slow(number: int, milliseconds: int, units: Units) -> None:
    with units() as work:
        arguments = {"number": number, "milliseconds": milliseconds}
        work.jobs.enqueue("proof.slow", arguments)


@blueprint.post("/plain/<int:number>")
@blueprint.public
@blueprint.response(202)
@inject
def write(number: int, units: Units) -> None:
    with units() as work:
        work.connection.execute(text("INSERT INTO intents VALUES (:n)"), {"n": number})
"""
LENGTHS = {
    "short": "8 kills, 160 jobs are enqueued",
    "shutdown": "only end processes in the middle of a job",
    "leaderless": "only elect the leader of a queue that has none",
    "bench": "measure, without kills",
}


def with_jobs(folder: Path, environment: Path | None) -> Path:
    """Generate a project with a task that inserts a row, and an operation that enqueues it."""
    project = generate_only(folder, background_jobs="celery")
    (project / "src/tasks/proof.py").write_text(TASK)
    (project / "src/api/controllers/v1/proof.py").write_text(CONTROLLER)
    if environment:
        (project / ".venv").symlink_to(environment)
    else:
        prepare(project)
    return project


def main() -> int:
    arguments = parser("jobs", __doc__)
    what = arguments.add_mutually_exclusive_group()
    for name, told in LENGTHS.items():
        what.add_argument(f"--{name}", action="store_const", dest="what", const=name, help=told)
    arguments.set_defaults(what="full")
    arguments.add_argument("--broker", choices=["docker", "debian"])
    given = arguments.parse_args()
    environment = given.project and (given.project / ".venv").resolve()
    with temporary_folder("jobs") as folder:
        project = with_jobs(folder, environment)
        broker = given.broker or "any"
        return run_in(project, "proofs.jobs_programme", str(project), given.what, broker)


if __name__ == "__main__":
    run_main(main)

"""Kill whatever does background jobs, and show that each committed job has its effect once.

python -m proofs.jobs [--short] [--project DIR] [--broker docker|debian] [--bench]

API, relay, worker and RabbitMQ are killed with SIGKILL at random moments, 50 times, while 3,000
requests enqueue a job each, of which 1,000 are rolled back; meanwhile a maintenance window is open
for a while, and afterwards the broker is frozen. `--bench` measures instead: jobs a second through
outbox, relay and broker beside `send_task` after the commit, and what an enqueue adds to a write.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from cookiecutter.main import cookiecutter

from proofs.generation import copy_template
from proofs.rehearse import run

TASK = """from typing import Annotated, Any

from dependency_injector.wiring import Provide, inject
from sqlalchemy import text

from chassis.jobs.tasks import task

Units = Annotated[Any, Provide["unit_of_work"]]


@task("proof.effect", attempts=100)
@inject
def make_effect(number: int, units: Units) -> None:
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


@blueprint.post("/plain/<int:number>")
@blueprint.public
@blueprint.response(202)
@inject
def write(number: int, units: Units) -> None:
    with units() as work:
        work.connection.execute(text("INSERT INTO intents VALUES (:n)"), {"n": number})
"""


def generate(folder: Path, environment: Path | None) -> Path:
    """A project with jobs, a task that leaves a trace and an operation that enqueues it."""
    settings = folder / "cookiecutter.yaml"
    settings.write_text(f"cookiecutters_dir: {folder}/templates\nreplay_dir: {folder}/replay\n")
    made = cookiecutter(
        str(copy_template(folder / "template")),
        no_input=True,
        extra_context={"background_jobs": "celery"},
        output_dir=str(folder),
        config_file=str(settings),
    )
    project = Path(made)
    (project / "src/tasks/proof.py").write_text(TASK)
    (project / "src/api/controllers/v1/proof.py").write_text(CONTROLLER)
    if environment:
        (project / ".venv").symlink_to(environment)
    else:
        inherited = {n: v for n, v in os.environ.items() if not n.startswith(("MAKE", "MFLAGS"))}
        subprocess.run(["make", ".venv/.ready"], cwd=project, env=inherited, check=True)
    return project


def main() -> int:
    parser = argparse.ArgumentParser(prog="proofs.jobs", description=__doc__)
    parser.add_argument("--short", action="store_true", help="8 kills while 160 jobs are enqueued")
    parser.add_argument("--bench", action="store_true", help="measure, and kill nobody")
    parser.add_argument("--broker", choices=["docker", "debian"])
    parser.add_argument("--project", type=Path, help="one with jobs, whose environment is taken")
    given = parser.parse_args()
    environment = given.project and (given.project / ".venv").resolve()
    folder = Path(tempfile.mkdtemp(prefix="jobs-"))
    folder.chmod(0o755)  # Root's embedded PostgreSQL is another user's.
    try:
        project = generate(folder, environment)
        python = str(project / ".venv/bin/python")
        what = "bench" if given.bench else "short" if given.short else "full"
        return run(python, "-m", "proofs.jobs_programme", str(project), what, given.broker or "any")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())

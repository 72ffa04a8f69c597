"""The commands `worker` and `relay`, which process background jobs, and `jobs`, for failed ones."""

import logging
import signal
import sys
from typing import Any

import click

from chassis.bootstrap import load_config_with_database
from chassis.core.errors import CodeError, UnavailableError
from chassis.jobs.dead_jobs import DeadJobs
from chassis.jobs.job_settings import JobSettings
from chassis.jobs.tasks import task_named
from chassis.observability.traces import make_tracer_provider, trace_engines
from chassis.project import current_project
from chassis.settings import ConfigError


@click.command()
def worker() -> None:
    """Run background jobs from the broker until SIGTERM.

    The worker then finishes the jobs that it has begun. docs/jobs.md says how many workers to run.
    """
    config = _config_with_broker()
    # The container imports the tasks before the processes are forked; no connection is left open.
    _warn_without_database(_container(config))
    from chassis.jobs.worker import run_worker  # noqa: PLC0415  # The import of Celery is slow.

    sys.exit(run_worker(config, _container, _tracer))


@click.command()
def relay() -> None:
    """Publish committed jobs to the broker until SIGTERM.

    One relay is enough. A second one continues if the first one fails.
    """
    config = _config_with_broker()
    from chassis.jobs.broker import BrokerSink  # noqa: PLC0415
    from chassis.jobs.relay import Relay  # noqa: PLC0415

    made = Relay(_container(config), BrokerSink(config))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, made.stop)
    made.run()


@click.group()
def jobs() -> None:
    """Look after background jobs whose last attempt failed."""


@jobs.group()
def dead() -> None:
    """List, requeue or drop dead jobs: their last attempt failed."""


@dead.command("list")
@click.option("--task", help="Only jobs of this task.")
def list_dead(task: str | None) -> None:
    """Show the id, task, attempts, time and error of each dead job."""
    jobs = _dead_jobs().all(task)
    for job in jobs:
        moment = job.finished_at.isoformat(timespec="seconds")
        click.echo(f"{job.id}  {job.task}  {job.attempts} attempts  {moment}  {job.error}")
    click.echo(f"{len(jobs)} jobs failed for good.")


@dead.command()
@click.argument("job_ids", nargs=-1, type=click.UUID)
@click.option("--task", help="All dead jobs of this task.")
def requeue(job_ids: tuple[Any, ...], task: str | None) -> None:
    """Queue dead jobs again, by their ids or all of a task."""
    _require_choice(job_ids, task)
    number = _dead_jobs().requeue(job_ids, task)
    _require_known(task, number)
    click.echo(f"{number} jobs were requeued.")


@dead.command()
@click.argument("job_ids", nargs=-1, type=click.UUID)
@click.option("--task", help="All dead jobs of this task.")
def drop(job_ids: tuple[Any, ...], task: str | None) -> None:
    """Delete dead jobs, by their ids or all of a task."""
    _require_choice(job_ids, task)
    number = _dead_jobs().drop(job_ids, task)
    _require_known(task, number)
    click.echo(f"{number} jobs were dropped.")


def _require_choice(job_ids: tuple[Any, ...], task: str | None) -> None:
    if job_ids and task:
        raise click.UsageError("Name ids or --task, not both.")
    if not job_ids and not task:
        raise click.UsageError("Name the ids of jobs, or --task and its name.")


def _require_known(task: str | None, number: int) -> None:
    """Require that a task without dead jobs exists; jobs may outlive the code of their task."""
    if task and not number:
        try:
            task_named(task)
        except CodeError as error:
            raise click.BadParameter(str(error), param_hint="--task") from error


def _dead_jobs() -> DeadJobs:
    container = _container(load_config_with_database(current_project().config_type))
    return DeadJobs(container.unit_of_work())


def _container(config: JobSettings) -> Any:
    """Return the container, wired to the imported tasks."""
    return current_project().build_container(config)


def _warn_without_database(container: Any) -> None:
    try:
        container.database_probe().schema_state()
    except UnavailableError as error:
        logging.getLogger(__name__).warning("The worker waits: %s", error)
    finally:
        container.engines().dispose()


def _tracer(container: Any) -> Any:
    if provider := make_tracer_provider(container.config()):
        trace_engines(container.engines(), provider)
        return provider.get_tracer(__name__)
    return None


def _config_with_broker() -> JobSettings:
    config: JobSettings = load_config_with_database(current_project().config_type)
    if not config.broker_url:
        raise ConfigError(
            "BROKER_URL: Not set. It has the form amqp://user:password@host:5672/vhost. Without a "
            "broker `python manage.py run` does the jobs itself."
        )
    current_project().module("logging").configure_logging(config)
    for name in ("amqp", "celery"):
        # The runner stores and logs the outcome of each job.
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("celery.apps.worker").setLevel(config.log_level)  # It says when it is ready.
    logging.captureWarnings(capture=True)  # Celery's warnings become log lines too.
    from chassis.jobs.broker import require_access  # noqa: PLC0415  # Celery takes its time.

    require_access(config)
    return config

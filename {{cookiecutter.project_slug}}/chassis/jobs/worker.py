"""The worker: Celery's prefork pool, where each child process has its own dependency container."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from socket import gethostname
from typing import Any
from uuid import UUID

from celery import Celery
from celery.apps import worker as program
from celery.exceptions import Reject
from celery.signals import setup_logging, worker_process_init
from celery.worker.consumer import Consumer

from chassis.core.errors import UnavailableError
from chassis.jobs.broker import celery_app
from chassis.jobs.job_runner import JobRunner
from chassis.jobs.job_settings import JobSettings
from chassis.jobs.tasks import all_tasks

# Between the soft limit, which fails the attempt, and the hard limit, which kills its process.
GRACE_SECONDS = 30
# While the database does not answer, the worker keeps the message for so long, then requeues it.
PATIENCE_SECONDS, LONGEST_PAUSE = 60, 5
UNUSED = ("delayed_delivery", "gossip", "mingle", "events", "heart")

_log = logging.getLogger(__name__)


class PlainConsumer(Consumer):  # type: ignore[misc]  # Celery has no types.
    """Celery's consumer without its 28 delay queues: delayed jobs wait in PostgreSQL."""

    class Blueprint(Consumer.Blueprint):  # type: ignore[misc]
        default_steps = [
            step
            for step in Consumer.Blueprint.default_steps
            if not any(f".{name}:" in step for name in UNUSED)
        ]

    def stop(self) -> None:
        _log.info("The worker takes no more jobs, and finishes those that have begun.")
        super().stop()


class _Child:
    runner: JobRunner | None = None


def run_worker(
    config: JobSettings,
    make_container: Callable[[JobSettings], Any],
    make_tracer: Callable[[Any], Any],
) -> int:
    """Run jobs until SIGTERM, then finish those that have begun; return the exit status.

    Import the tasks before. No connection is opened before the children are forked.
    """
    app = celery_app(config)
    _register(app)

    @worker_process_init.connect(weak=False)
    def begin(**_: object) -> None:
        # A child runs one job at a time, in one thread.
        container = make_container(replace(config, threads=1))
        _Child.runner = JobRunner(container, make_tracer(container))

    setup_logging.connect(lambda **_: None, weak=False)  # Logging is configured already.
    # Celery prints signals to standard output, as plain text; `PlainConsumer.stop` logs them.
    program.safe_say = lambda *_: None
    worker = app.Worker(
        concurrency=config.job_processes,
        pool="prefork",
        hostname=f"{config.name}@{gethostname()}",
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        quiet=True,
        task_events=False,
        optimization="fair",
    )
    worker.start()
    return int(worker.exitcode or 0)


def _register(app: Celery) -> None:
    app.conf.worker_consumer = f"{__name__}:{PlainConsumer.__name__}"
    for task in all_tasks():
        app.task(
            _do,
            name=task.name,
            bind=True,
            soft_time_limit=task.seconds,
            time_limit=task.seconds + GRACE_SECONDS,
        )


def _do(request: Any) -> None:
    """Make one attempt. Celery acknowledges the message after its outcome was stored."""
    job_id = UUID(request.request.id)
    deadline, pause = time.monotonic() + PATIENCE_SECONDS, 0.1
    if _Child.runner is None:
        raise Reject("This process has no container.", requeue=True)
    while True:
        try:
            _Child.runner.run(job_id)
        except UnavailableError as error:
            _log.warning("The worker waits: %s", error)
            if time.monotonic() > deadline:
                raise Reject(str(error), requeue=True) from error
            time.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
        else:
            return

"""Background jobs without a broker: in development, threads of the server process run them."""

import atexit
import time
from collections.abc import Iterator
from threading import Thread
from typing import Any
from uuid import UUID

from chassis.jobs.job_runner import JobRunner
from chassis.jobs.relay import Message, Relay
from chassis.postgres.ops_schema import OpsText
from chassis.settings import DEVELOPMENT

THREADS = 2
# How long a reload or the end of the server waits for jobs that run. The process then ends, and the
# next one makes another attempt.
END_SECONDS = 5
# Jobs that a process left running when it ended. Development has one process, so no other runs
# them.
RESUME = OpsText("""
    UPDATE ops.outbox SET not_before = now()
    FROM ops.job WHERE job.id = job_id AND state = 'running'
""")


class InProcessSink:
    """Runs each job in the relay's thread, and reports its message as delivered afterwards."""

    limit = 1
    lease = 3600

    def __init__(self, runner: JobRunner) -> None:
        self._runner = runner

    def send(self, messages: list[Message]) -> Iterator[Message]:
        for message in messages:
            self._runner.run(message.job_id)
            yield message

    def returned(self) -> Iterator[UUID]:
        return iter(())


class JobsHere:
    """Threads of this process that run jobs."""

    def __init__(self, container: Any, tracer: Any = None) -> None:
        self._container = container
        self._relays = [
            Relay(container, InProcessSink(JobRunner(container, tracer))) for _ in range(THREADS)
        ]
        self._threads = [
            Thread(target=relay.run, daemon=True, name="jobs") for relay in self._relays
        ]

    def start(self) -> None:
        with self._container.engines().write.begin() as connection:
            connection.execute(RESUME)
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Begin no more jobs, and wait for those that run, for up to END_SECONDS."""
        for relay in self._relays:
            relay.stop()
        deadline = time.monotonic() + END_SECONDS
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.0, deadline - time.monotonic()))


def do_jobs_here(app: Any) -> None:
    """Start the threads that run jobs, in development without a broker; else do nothing."""
    container, provider = app.extensions["container"], app.extensions.get("tracer_provider")
    tracer = provider.get_tracer(__name__) if provider else None
    config = container.config()
    if config.environment != DEVELOPMENT or config.broker_url:
        return
    jobs = JobsHere(container, tracer)
    atexit.register(jobs.end)
    Thread(target=jobs.start, daemon=True, name="jobs").start()


def run_due_jobs(container: Any) -> int:
    """For tests: run jobs in this thread until none is due; return how many messages there were."""
    relay = Relay(container, InProcessSink(JobRunner(container)))
    done = 0
    while passed := relay.pass_on():
        done += passed
    return done

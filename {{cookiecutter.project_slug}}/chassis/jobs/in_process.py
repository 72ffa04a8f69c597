"""Background jobs without a broker: in development, threads of the server process run them."""

from collections.abc import Iterator
from threading import Thread
from typing import Any
from uuid import UUID

from chassis.jobs.job_runner import JobRunner
from chassis.jobs.relay import Message, Relay
from chassis.postgres.ops_schema import OpsText
from chassis.settings import DEVELOPMENT

THREADS = 2
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


def do_jobs_here(app: Any) -> None:
    """Start the threads that run jobs, in development without a broker; else do nothing."""
    container, provider = app.extensions["container"], app.extensions.get("tracer_provider")
    tracer = provider.get_tracer(__name__) if provider else None
    config = container.config()
    if config.environment != DEVELOPMENT or config.broker_url:
        return
    Thread(target=_work, args=[container, tracer], daemon=True, name="jobs").start()


def _work(container: Any, tracer: Any) -> None:
    with container.engines().write.begin() as connection:
        connection.execute(RESUME)
    for _ in range(THREADS):
        relay = Relay(container, InProcessSink(JobRunner(container, tracer)))
        Thread(target=relay.run, daemon=True, name="jobs").start()


def run_due_jobs(container: Any) -> int:
    """For tests: run jobs in this thread until none is due; return how many messages there were."""
    relay = Relay(container, InProcessSink(JobRunner(container)))
    done = 0
    while passed := relay.pass_on():
        done += passed
    return done

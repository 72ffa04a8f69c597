"""Measures the cost of jobs; `python -m proofs.jobs --bench` runs it with a project's Python.

The same INSERT runs through outbox, relay, RabbitMQ and worker, and as a plain Celery task that is
sent after the commit, which a kill in between would lose. Broker and kind of queue are the same.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any

from proofs.jobs_programme import KEY, Broker, column, sql, wait_for

JOBS, WRITES, PROCESSES = 1000, 300, 2
PLAIN = """
import os
from celery import Celery
from celery.signals import worker_process_init
from kombu import Queue
from sqlalchemy import create_engine, text

app = Celery("plain", broker=os.environ["BROKER_URL"])
app.conf.update(
    task_queues=[Queue("plain", queue_arguments={"x-queue-type": "quorum"})],
    task_default_queue="plain", task_ignore_result=True, task_acks_late=True,
    worker_prefetch_multiplier=1, worker_enable_remote_control=False,
)
engine = create_engine(os.environ["PLAIN_URL"], pool_size=1)

@worker_process_init.connect
def begin(**_):
    engine.dispose(close=False)

@app.task(name="plain.effect")
def effect(number):
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO effects VALUES (:n)"), {"n": number})
"""


def bench(project: Path, url: str, engine: Any, broker: Broker) -> None:
    os.environ |= {"DATABASE_URL": url, "BROKER_URL": broker.url, "ENVIRONMENT": "production"}
    os.environ |= {"SECRET_KEY": KEY, "JOB_PROCESSES": str(PROCESSES), "LOG_LEVEL": "WARNING"}
    os.environ["PLAIN_URL"] = url.replace("postgresql:", "postgresql+psycopg2:")
    config = import_module("chassis.settings").load_config(import_module("src.config").Config)
    units = import_module("src.dependency_container").build_container(config).unit_of_work()
    writes(units)
    through = passed(
        engine, lambda: enqueue(units), [["manage.py", "relay"], ["manage.py", "worker"]]
    )
    (project / "plain.py").write_text(PLAIN)
    app = import_module("plain").app
    celery = ["-m", "celery", "-A", "plain", "worker", "-c", str(PROCESSES), "-Q", "plain"]
    plain = passed(engine, lambda: send(units, app), [[*celery, "--loglevel", "ERROR"]])
    print(
        f"{JOBS} jobs with {PROCESSES} processes: {through:.0f} a second through outbox, relay and"
    )
    print(f"broker to their effect; {plain:.0f} a second sent to plain Celery after the commit")


def writes(units: Any) -> None:
    took: dict[str, list[float]] = {"a write": [], "a write that enqueues": []}
    for number in range(WRITES):
        for name, milliseconds in took.items():
            begun = time.perf_counter()
            with units() as work:
                statement = sql.text("INSERT INTO intents VALUES (:n)")
                work.connection.execute(statement, {"n": -100 * number - len(name)})
                if "enqueues" in name:
                    work.jobs.enqueue("proof.effect", {"number": 0})
            milliseconds.append(1000 * (time.perf_counter() - begun))
    cost = {name: median(milliseconds) for name, milliseconds in took.items()}
    print(", ".join(f"{name}: {value:.2f} ms" for name, value in cost.items()), "(medians)")
    with units() as work:
        work.connection.execute(sql.text("TRUNCATE ops.job, ops.outbox"))


def passed(engine: Any, fill: Callable[[], None], commands: list[list[str]]) -> float:
    """Return jobs per second from the first effect to the last, without the start of Python."""
    with engine.begin() as connection:
        connection.execute(sql.text("TRUNCATE effects"))
    fill()
    started = [subprocess.Popen([sys.executable, *command]) for command in commands]
    try:
        wait_for(lambda: column(engine, "SELECT n FROM effects LIMIT 1"), 120, "the first effect")
        begun = time.monotonic()
        done = "SELECT n FROM effects OFFSET 999 LIMIT 1"
        wait_for(lambda: column(engine, done), 300, "all effects")
        return JOBS / (time.monotonic() - begun)
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(60)


def enqueue(units: Any) -> None:
    for number in range(JOBS):
        with units() as work:
            work.jobs.enqueue("proof.effect", {"number": number})


def send(units: Any, app: Any) -> None:
    for number in range(JOBS):
        with units() as work:
            work.connection.execute(sql.text("SELECT 1"))
        app.send_task("plain.effect", [number])

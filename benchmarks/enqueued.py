"""Measures what an enqueue adds to a write; runs in the environment of a project with jobs.

python -m benchmarks.enqueued PROJECT still|load prints the figures as JSON.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

from benchmarks.budget import Figures
from benchmarks.in_process import Caller
from benchmarks.postgres import postgres
from benchmarks.programme import stop
from benchmarks.rows import Rows
from benchmarks.servers import migrate, variables

WITH_A_JOB = "create with a job"
WARM_UP, BATCHES, BATCH = 500, 80, 25


@contextmanager
def service(url: str) -> Iterator[Any]:
    """The project's application on this database."""
    os.environ["DATABASE_URL"] = url
    from chassis.settings import load_config  # type: ignore[import-not-found]
    from src.config import Config  # type: ignore[import-not-found]
    from src.create_app import create_app  # type: ignore[import-not-found]

    app = create_app(load_config(Config))
    try:
        yield app
    finally:
        app.extensions["container"].engines().dispose()


@contextmanager
def enqueuing() -> Iterator[None]:
    """Let `create` of the todos enqueue a job in its transaction."""
    from src.domain.models.todo import Todo  # type: ignore[import-not-found]
    from src.services.todo_service import TodoService  # type: ignore[import-not-found]

    def create(todos: Any, title: str) -> Any:
        todo = Todo(title=title)
        with todos._unit_of_work() as work:
            work.todos.add(todo)
            work.jobs.enqueue("todos.complete", {"todo_id": todo.id}, owner="a client")
        return todo

    with patch.object(TodoService, "create", create):
        yield


def asked(rows: Rows) -> Figures:
    """Count the statements and round trips that an enqueue adds, on the way to PostgreSQL."""
    from chassis.development.testing.wire import wire

    def count() -> tuple[int, int]:
        caller.once("create")
        between.begin()
        caller.once("create")
        found = between.round_trips()
        return sum(len(message.split("; ")) for message in found), len(found)

    with wire(rows.server.url(rows.database)) as between, service(between.url) as app:
        caller = Caller(app.wsgi_app, rows.ids())
        alone = count()
        with enqueuing():
            both = count()
    return {
        "added_by_an_enqueue": {
            "statements": both[0] - alone[0],
            "round trips": both[1] - alone[1],
        }
    }


def compared(rows: Rows) -> Figures:
    """Measure CPU and time of a create with a job relative to one without, in turn, in batches.

    The CPU is this process's with its kernel time. The time includes PostgreSQL and the commit.
    """
    with service(rows.server.url(rows.database)) as app:
        caller = Caller(app.wsgi_app, rows.ids())
        with enqueuing():
            _batch(caller, WARM_UP)
        alone, both = [], []
        for _ in range(BATCHES):
            alone.append(_batch(caller, BATCH))
            with enqueuing():
                both.append(_batch(caller, BATCH))
    ratios = [
        median(with_job) / median(without)
        for with_job, without in zip(zip(*both, strict=True), zip(*alone, strict=True), strict=True)
    ]
    return {
        name: {WITH_A_JOB: ratio}
        for name, ratio in zip(("cpu_to_create", "time_to_create"), ratios, strict=True)
    }


def _batch(caller: Caller, count: int) -> tuple[float, float]:
    """Return the CPU seconds and the seconds of so many creates."""
    began = time.process_time(), time.perf_counter()
    for _ in range(count):
        caller.once("create")
    return time.process_time() - began[0], time.perf_counter() - began[1]


def main() -> int:
    project, with_load = Path(sys.argv[1]), sys.argv[2] == "load"
    core = max(os.sched_getaffinity(0))
    others = (os.sched_getaffinity(0) - {core}) or {core}
    with postgres(project, others) as server:
        rows = Rows(server, "enqueued")
        migrate(project, rows)
        rows.fill()
        os.sched_setaffinity(0, {core})
        os.environ.update(variables(rows) | {"LOG_LEVEL": "WARNING"})
        os.chdir(project)
        sys.path.insert(0, str(project))
        found = asked(rows)
        print(json.dumps(found | compared(rows) if with_load else found))
        rows.close()
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stop)
    sys.exit(main())

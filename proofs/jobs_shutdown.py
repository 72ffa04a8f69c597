"""Ends the processes of background jobs by SIGTERM, in the middle of a job; part of proofs.jobs.

A job that runs is finished within the grace time, or another process does it once.
"""

import os
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from proofs.harness.processes import Processes, Running, free_port
from proofs.jobs_programme import Service, column, settle, wait_for

# The containers' grace times: compose.yaml and deploy/ give at least so much.
RELAY_SECONDS, SERVER_SECONDS = 30, 30
AT_ONCE = 2  # JOB_PROCESSES of the proof, and the threads of `manage.py run`.
BASE = 2_000_000  # Numbers of these jobs; the others' are lower.
STATES = "SELECT state || ' ' || attempts FROM ops.job WHERE (arguments->>'number')::int >= {}"
LEASED = "SELECT id FROM ops.outbox WHERE not_before > now()"


class Jobs:
    """Slow jobs, each numbered, and what became of them."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self._next = BASE
        self.faults: list[str] = []

    def begin(self, service: Any, count: int, milliseconds: int, *, running: int) -> None:
        """Enqueue jobs, and wait until so many of them run."""
        self._first = self._next
        for _ in range(count):
            path = f"/my_service/v1/proof/slow/{self._next}/{milliseconds}"
            status = service.request(path)
            assert status == 202, status
            self._next += 1
        wait_for(
            lambda: sum(state.startswith("running") for state in self.states()) == running,
            60,
            f"{running} jobs run",
        )

    def states(self) -> list[str]:
        return sorted(column(self._engine, STATES.format(self._first)))

    def expect(self, what: str, *states: str, effects: int) -> None:
        found = self.states()
        numbers = column(self._engine, f"SELECT n FROM effects WHERE n >= {self._first}")
        once = len(numbers) == len(set(numbers)) == effects
        right = found == sorted(states) and once
        counted = ", ".join(f"{count} {state}" for state, count in Counter(found).items())
        print(f"  {what}: {counted}; {len(numbers)} effects", flush=True)
        if not right:
            self.faults.append(f"{what}: expected {sorted(states)}, {effects} effects")


def end(running: Running, seconds: float) -> float:
    """End a process by SIGTERM; return the seconds that it took. It has to exit with 0."""
    begun = time.monotonic()
    running.process.send_signal(signal.SIGTERM)
    code = running.wait(seconds)
    assert code == 0, f"It ended with {code}:\n{running.output}"
    return time.monotonic() - begun


def worker(service: Service, engine: Any, jobs: Jobs) -> None:
    jobs.begin(service, 5, 4000, running=AT_ONCE)
    took = end(service.running["worker"], 60)
    done, queued = ["done 1"] * AT_ONCE, ["queued 0"] * 3
    jobs.expect(f"a worker ended in {took:.1f} s", *done, *queued, effects=AT_ONCE)
    service.start("worker")
    settle(engine)
    jobs.expect("another worker did the rest", *["done 1"] * 5, effects=5)
    jobs.begin(service, AT_ONCE, 8000, running=AT_ONCE)
    service.running["worker"].process.send_signal(signal.SIGTERM)
    time.sleep(1)  # A grace time that is too short.
    service.kill("worker")
    settle(engine)
    jobs.expect("killed after its grace time", *["done 2"] * AT_ONCE, effects=AT_ONCE)


def relay(service: Service, engine: Any, jobs: Jobs) -> None:
    jobs.begin(service, 100, 1, running=0)
    took = end(service.running["relay"], RELAY_SECONDS)
    leased = column(engine, LEASED)
    service.start("relay")
    settle(engine)
    jobs.expect(f"a relay ended in {took:.1f} s", *["done 1"] * 100, effects=100)
    service.broker.freeze()
    try:
        jobs.begin(service, 1, 1, running=0)
        wait_for(lambda: column(engine, LEASED), 30, "the relay has taken the message")
        took = end(service.running["relay"], RELAY_SECONDS)
        leased += column(engine, LEASED)
    finally:
        service.broker.thaw()
    service.start("relay")
    settle(engine)
    jobs.expect(f"in front of a frozen broker in {took:.1f} s", "done 1", effects=1)
    if leased:
        jobs.faults.append(f"{len(leased)} messages wait for the lease of a relay that ended")


class Development:
    """`manage.py run` without a broker: the server process runs the jobs."""

    def __init__(self, service: Service, project: Path) -> None:
        self._service, self._project = service, project
        self._processes = Processes()
        self.request = service.request

    def start(self) -> Running:
        self._service.port = free_port()
        command = ["manage.py", "run", "--port", str(self._service.port)]
        env = {**os.environ, **self._service.env, "ENVIRONMENT": "development", "BROKER_URL": ""}
        running = self._processes.start([sys.executable, *command], cwd=self._project, env=env)
        self._service.wait_until_it_serves()
        return running

    def close(self) -> None:
        self._processes.close()


def development(service: Service, project: Path, engine: Any, jobs: Jobs) -> None:
    """Needs a service whose processes have ended."""
    one = Development(service, project)
    try:
        running = one.start()
        jobs.begin(one, AT_ONCE, 2500, running=AT_ONCE)
        took = end(running, SERVER_SECONDS)
        jobs.expect(f"`run` ended in {took:.1f} s", *["done 1"] * AT_ONCE, effects=AT_ONCE)
        running = one.start()
        jobs.begin(one, AT_ONCE, 12_000, running=AT_ONCE)
        took = end(running, SERVER_SECONDS)
        jobs.expect(f"ended in {took:.1f} s", *["running 1"] * AT_ONCE, effects=0)
        one.start()
        settle(engine)
        jobs.expect("the next one did them", *["done 2"] * AT_ONCE, effects=AT_ONCE)
    finally:
        one.close()


def end_each(service: Service, project: Path, engine: Any) -> int:
    """End each kind of process, and close the service; return the number of faults."""
    jobs = Jobs(engine)
    print(
        "ended by SIGTERM in the middle of a job; number, state and attempts of the jobs:",
        flush=True,
    )
    worker(service, engine, jobs)
    relay(service, engine, jobs)
    service.close()
    development(service, project, engine, jobs)
    for fault in jobs.faults:
        print(f"  fault: {fault}", flush=True)
    return len(jobs.faults)

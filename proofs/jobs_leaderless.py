"""Leave a queue without a leader, and elect one as docs/jobs.md says; part of proofs.jobs.

RabbitMQ 4.0 writes the log of a new quorum queue later than its name. Killed in between, it starts
with a queue that has no leader.
"""

import json
import re
import time
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from proofs.brokers import DockerBroker, run
from proofs.jobs_programme import Service, column, wait_for

GUIDE = "docs/jobs.md"
JOBS = 5
NUMBERS = range(4_000_001, 4_000_001 + JOBS)  # The other parts have lower ones.
LOGGED = "The broker confirms no jobs"


def declare(name: str, url: str) -> None:
    """Make the project's queues, as its relay does."""
    made = import_module("chassis.jobs.broker")
    config = SimpleNamespace(name=name, broker_url=url)
    with made.celery_app(config).connection_for_write() as connection:
        channel = connection.channel()
        jobs, dead = made.queues(name)
        for queue in (dead, jobs):
            queue(channel).declare()


def inside(broker: DockerBroker, script: str) -> str:
    return run("docker", "exec", broker.name, "sh", "-ec", script)


def states(broker: DockerBroker, queue: str) -> set[str]:
    told = inside(broker, f"rabbitmq-queues quorum_status {queue} --formatter json")
    return {member["Raft State"] for member in json.loads(told)}


def remedy(project: Path) -> str:
    """Return the commands for the broker's machine from the guide."""
    [found] = re.findall(r"^```sh broker\n(.*?)^```$", (project / GUIDE).read_text(), re.M | re.S)
    return str(found)


def leaderless(project: Path, url: str, engine: Any, broker: DockerBroker) -> int:
    """Return the number of faults: 0 where the guide's commands let each job have its effect."""
    service = Service(project, url, broker)
    declare(project.name, broker.url)
    broker.kill()
    broker.start()
    broker.wait()
    time.sleep(2)  # An election takes less than a second; its absence has no event.
    queue = f"{project.name}.jobs"
    found = states(broker, queue)
    print(f"killed right after its declaration, {queue} is {found}", flush=True)
    if "leader" in found:
        print("not shown: this RabbitMQ elected a leader", flush=True)
        return 1
    try:
        service.begin()
        for number in NUMBERS:
            service.request(f"/my_service/v1/proof/slow/{number}/1")
        relay = service.running["relay"]
        wait_for(lambda: LOGGED in relay.output, 60, "the relay names the cause")
        told = inside(broker, remedy(project))
        assert "follower" in told, told
        begun = time.monotonic()
        effects = f"SELECT n FROM effects WHERE n >= {NUMBERS.start}"
        wait_for(lambda: len(column(engine, effects)) >= JOBS, 60, "each job has its effect")
        right = sorted(column(engine, effects)) == list(NUMBERS)
        print(f"{JOBS} jobs done {time.monotonic() - begun:.1f} s after the guide's commands")
    finally:
        service.close()
    return 0 if right else 1

"""Kills and counts for proofs.jobs; runs with the Python of the project."""

import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from http.client import HTTPConnection, HTTPException
from importlib import import_module
from pathlib import Path
from statistics import quantiles
from typing import Any

from proofs.brokers import DockerBroker, LocalBroker, find_broker
from proofs.harness.processes import Processes, Running, free_port, run_main

# Kills, ends by SIGTERM, requests, seconds of the maintenance window, and seconds for which the
# broker is frozen.
LENGTHS = {"full": (50, 10, 3000, 8, 12), "short": (8, 3, 240, 4, 8)}
THREADS = 4
SETTLE_SECONDS = 240
GRACE_SECONDS = 60
SLOWEST_MS = 1000  # Seconds for a request while the broker is frozen; generous, for a busy machine.
FIRST = 299_998  # Not rolled back, and beyond the numbers of the load.
QUEUE_SECONDS = 2  # RabbitMQ writes a new queue's name within one; no event tells of it.
sql: Any = import_module("sqlalchemy")  # The Python of the project's environment.
KEY = "of-the-proof-of-jobs-and-of-no-other"
Broker = DockerBroker | LocalBroker


class Service:
    """API, relay, worker and broker, each of which can be killed and is then started again."""

    def __init__(self, project: Path, url: str, broker: Broker) -> None:
        self.port = free_port()
        self.broker = broker
        self._project = project
        self._processes = Processes()
        self.env = {
            "DATABASE_URL": url,
            "BROKER_URL": broker.url,
            "ENVIRONMENT": "production",
            "SECRET_KEY": KEY,
            "JOB_PROCESSES": "2",
            "LOG_LEVEL": "WARNING",
        }
        self.commands = {
            "API": ["serve", "--port", str(self.port)],
            "relay": ["relay"],
            "worker": ["worker"],
        }
        self.running: dict[str, Running] = {}

    def begin(self) -> None:
        for name in self.commands:
            self.start(name)
        self.wait_until_it_serves()

    def start(self, name: str) -> None:
        command = [sys.executable, "manage.py", *self.commands[name]]
        env = {**os.environ, **self.env}
        self.running[name] = self._processes.start(command, cwd=self._project, env=env)

    def end(self, name: str) -> None:
        """End a process as a deployment does, with SIGTERM, and start it again."""
        self.running[name].process.send_signal(signal.SIGTERM)
        code = self.running[name].wait(GRACE_SECONDS)
        # A process that has only just started has no handler yet.
        assert code in {0, -signal.SIGTERM}, f"The {name} ended with {code}."
        self.start(name)

    def kill(self, name: str) -> None:
        """Kill a process group at once, as a crash of its machine would, and start it again."""
        if name == "broker":
            self.broker.kill()
            time.sleep(random.uniform(0, 1))
            self.broker.start()
            return
        assert self.running[name].process.poll() is None, f"The {name} has ended by itself."
        os.killpg(self.running[name].process.pid, signal.SIGKILL)
        self.running[name].process.wait()
        time.sleep(random.uniform(0, 1))
        self.start(name)

    def request(self, path: str, seconds: float = 20) -> int | None:
        """Send a request; return the status, None where the connection broke."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        try:
            connection.request("POST", path, headers={"Content-Length": "0"})
            return connection.getresponse().status
        except (OSError, HTTPException):
            return None
        finally:
            connection.close()

    def wait_until_it_serves(self) -> None:
        wait_for(
            lambda: self.request("/my_service/v1/proof/plain/99999999") in {202, 409}, 60, "the API"
        )

    def close(self) -> None:
        self._processes.close()


class Ledger:
    """Records requests. Each is repeated until it is answered, with the same Idempotency-Key."""

    def __init__(self, service: Service, count: int) -> None:
        self._service = service
        self._count = count
        self.statuses: dict[int, int] = {}
        self.unanswered = 0
        # Daemons: a proof that is ended does not wait for answers.
        self.threads = [
            threading.Thread(target=self._send, args=[n], daemon=True) for n in range(THREADS)
        ]

    def _send(self, offset: int) -> None:
        for number in range(1 + offset, self._count + 1, THREADS):
            while number not in self.statuses:
                status = self._service.request(f"/my_service/v1/proof/{number}")
                if status in {202, 409}:
                    self.statuses[number] = status
                else:
                    self.unanswered += 1
                    time.sleep(0.2)


def wait_for(condition: Callable[[], object], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"Not within {seconds} s: {what}")
        time.sleep(0.1)


def column(engine: Any, statement: str) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(sql.text(statement)).scalars())


def kill_and_load(service: Service, url: str, length: str) -> Ledger:
    kills, ends, count, window, _ = LENGTHS[length]
    ledger = Ledger(service, count)
    for thread in ledger.threads:
        thread.start()
    killed, ended = Counter[str](), Counter[str]()
    disturbances = [True] * kills + [False] * ends
    random.shuffle(disturbances)
    for number, is_kill in enumerate(disturbances):
        answered = number * count // len(disturbances)  # Spread them over all requests.
        wait_for(lambda: len(ledger.statuses) >= answered, 120, "requests go on")  # noqa: B023
        time.sleep(random.uniform(0, 0.5))
        name = random.choice([*service.commands, *(["broker"] if is_kill else [])])
        (service.kill if is_kill else service.end)(name)
        (killed if is_kill else ended)[name] += 1
        if number == len(disturbances) // 2:
            open_window(url, window)
    for thread in ledger.threads:
        thread.join()
    print(f"killed: {kills} times, {dict(killed)}; one window of {window} s", flush=True)
    print(f"ended by SIGTERM: {ends} times, {dict(ended)}", flush=True)
    return ledger


def open_window(url: str, seconds: int) -> None:
    mode = import_module("chassis.core.maintenance").MaintenanceMode.READ_ONLY
    engines = import_module("chassis.postgres.engines").Engines.connect(url, name="p", pool_size=1)
    kind = import_module("chassis.maintenance.sql_maintenance_windows").SqlMaintenanceWindows
    windows = kind(engines.watch, url, "cli")
    patience = timedelta(seconds=20)
    windows.start(mode, "proof", timedelta(minutes=5), patience=patience)
    time.sleep(seconds)
    windows.end()


def settle(engine: Any) -> float:
    begun = time.monotonic()
    wait_for(
        lambda: not column(engine, "SELECT id FROM ops.job WHERE finished_at IS NULL LIMIT 1"),
        SETTLE_SECONDS,
        "each job is finished",
    )
    return time.monotonic() - begun


def judge(engine: Any, ledger: Ledger) -> int:
    intents = set(column(engine, "SELECT n FROM intents WHERE n < 99999999"))
    effects = Counter(column(engine, "SELECT n FROM effects"))
    acknowledged = {n for n, status in ledger.statuses.items() if status == 202}
    faults = {
        "acknowledged and not committed": acknowledged - intents,
        "committed without effect": intents - effects.keys(),
        "effect without commit": effects.keys() - intents,
        "more than one effect": {n for n, times in effects.items() if times > 1},
        "rolled back and committed": {n for n in intents if n % 3 == 0},
        "failed for good": set(column(engine, "SELECT id FROM ops.job WHERE state = 'failed'")),
        "left in the outbox": set(column(engine, "SELECT id FROM ops.outbox")),
    }
    statuses = Counter(str(status) for status in ledger.statuses.values())
    print(
        f"requests: {len(ledger.statuses)}, by status {dict(statuses)}; {ledger.unanswered} were "
        "sent again after a broken connection or a 503",
        flush=True,
    )
    attempts = column(engine, "SELECT attempts FROM ops.job")
    print(
        f"jobs: {len(intents)} committed, {sum(effects.values())} effects, "
        f"{sum(attempts)} attempts, at most {max(attempts)} for one job",
        flush=True,
    )
    for name, found in faults.items():
        print(f"  {name}: {len(found)} {sorted(map(str, found))[:5] if found else ''}", flush=True)
    return sum(map(len, faults.values()))


def frozen(service: Service, engine: Any, seconds: int) -> int:
    """Freeze the broker: no request waits for it, and all jobs are done afterwards."""

    def slowest(name: str) -> float:
        took = []
        for number in range(60):
            begun = time.monotonic()
            status = service.request(f"/my_service/v1/proof/{number * 3 + base[name] + 1}")
            took.append(1000 * (time.monotonic() - begun))
            assert status == 202, f"{name}: {status}"
        cut = quantiles(took, n=20)
        print(f"{name}: median {cut[9]:.0f} ms, 95 % {cut[18]:.0f} ms, slowest {max(took):.0f} ms")
        return max(took)

    base = {"broker awake": 300_000, "broker frozen": 600_000}
    slowest("broker awake")
    service.broker.freeze()
    try:
        begun = time.monotonic()
        worst = slowest("broker frozen")
        time.sleep(max(0.0, seconds - (time.monotonic() - begun)))
    finally:
        service.broker.thaw()
    print(f"after the freeze all jobs were done in {settle(engine):.1f} s", flush=True)
    effects = len(column(engine, "SELECT DISTINCT n FROM effects WHERE n > 300000"))
    return (worst > SLOWEST_MS) + (effects != 120)


def disturb(service: Service, engine: Any, url: str, length: str) -> int:
    """Kill and end processes under load, then freeze the broker; return the number of faults.

    The broker has written its new queue before; proofs.jobs_leaderless has the other case.
    """
    service.request(f"/my_service/v1/proof/{FIRST}")
    wait_for(lambda: column(engine, f"SELECT n FROM effects WHERE n = {FIRST}"), 60, "a first job")
    time.sleep(QUEUE_SECONDS)
    ledger = kill_and_load(service, url, length)
    service.broker.wait()
    print(f"after the last request all was done in {settle(engine):.1f} s", flush=True)
    faults = judge(engine, ledger)
    service.wait_until_it_serves()
    return faults + frozen(service, engine, LENGTHS[length][-1])


def prove(project: Path, length: str, broker: Broker) -> int:
    embedded = import_module("chassis.postgres.embedded")
    url = embedded.start_embedded_postgres(project / ".postgres")
    import_module("chassis.migrations.commands").Migrations(url).upgrade()
    engine = sql.create_engine(url.replace("postgresql:", "postgresql+psycopg2:"))
    with engine.begin() as connection:
        connection.execute(sql.text("CREATE TABLE intents (n int PRIMARY KEY)"))
        # Without a primary key, so that a second effect of a job would be counted.
        connection.execute(sql.text("CREATE TABLE effects (n int)"))
    if length == "bench":
        import_module("proofs.jobs_bench").bench(project, url, engine, broker)
        return 0
    if length == "leaderless":
        return without_leader(project, url, engine, broker)
    service = Service(project, url, broker)
    try:
        service.begin()
        print(f"RabbitMQ {broker.version}", flush=True)
        faults = 0 if length == "shutdown" else disturb(service, engine, url, length)
        shutdown = import_module("proofs.jobs_shutdown")
        faults += int(shutdown.end_each(service, project, engine))
    except AssertionError:
        for name, running in service.running.items():
            print(f"-- {name}\n{running.output[-3000:]}", flush=True)
        raise
    finally:
        service.close()
    if length in LENGTHS:
        faults += without_leader(project, url, engine, broker)
    engine.dispose()
    return faults


def without_leader(project: Path, url: str, engine: Any, broker: Broker) -> int:
    """Show the guide's remedy on a new broker, because the other one has its queues for long."""
    if isinstance(broker, LocalBroker):
        print("not run: a queue without a leader needs Docker's RabbitMQ", flush=True)
        return 0
    another = DockerBroker()
    try:
        return int(
            import_module("proofs.jobs_leaderless").leaderless(project, url, engine, another)
        )
    finally:
        another.remove()


def main() -> int:
    project, what, wanted = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    made: dict[str, Callable[[], Broker | None]] = {"docker": DockerBroker, "debian": LocalBroker}
    broker = made.get(wanted, find_broker)()
    if broker is None:
        print("not run: there is neither Docker's RabbitMQ nor Debian's")
        return 1
    sys.path.insert(0, str(project))
    os.chdir(project)
    import_module("src")  # Importing src makes the project known to the chassis.
    try:
        faults = prove(project, what, broker)
    finally:
        broker.remove()
    if what != "bench":
        print("proved" if not faults else f"{faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    run_main(main)

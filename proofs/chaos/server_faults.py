"""Faults of the server itself, and slow clients."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from proofs.chaos.fault_testbed import Fault, FaultTestbed
from proofs.chaos.neighbours import Proxy
from proofs.chaos.postgres import pause
from proofs.chaos.server import wait_until
from proofs.harness.load import PATH

BODY = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\n{{"
HEADERS = "GET /health/live HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
SLOW_FOR = 5.0


def killed(testbed: FaultTestbed) -> float:
    victim, *_ = before = testbed.server.workers()
    os.kill(victim, signal.SIGKILL)
    now = time.time()
    wait_until(lambda: testbed.server.workers() - before, 30, "another process")
    testbed.server.wait_until_it_serves()
    return now


def terminated(testbed: FaultTestbed) -> float:
    code = testbed.server.stop()
    if code or "Traceback" in testbed.server.running.output:
        testbed.complaints.append(f"it ended with {code}: {testbed.server.running.output[-500:]}")
    testbed.server.start()
    return time.time()


def reloaded(testbed: FaultTestbed) -> float:
    before = testbed.server.workers()
    testbed.server.tell(signal.SIGHUP)
    wait_until(lambda: not before & testbed.server.workers(), 60, "all processes are others")
    return testbed.server.wait_until_it_serves()


@contextmanager
def slow_clients(port: int, number: int) -> Iterator[None]:
    """Open clients that send a body or headers byte by byte; a rejected one connects again."""
    over = Event()

    def drip(text: str) -> None:
        while not over.is_set():
            try:
                with socket.create_connection(("127.0.0.1", port)) as connection:
                    connection.sendall(text.encode())
                    while not over.wait(0.5):
                        connection.sendall(b"x")
            except OSError:
                over.wait(0.2)

    threads = [Thread(target=drip, args=[[BODY, HEADERS][n % 2]]) for n in range(number)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def slow(number: int) -> "Fault":
    def make(testbed: FaultTestbed) -> float:
        proxy = testbed.neighbour
        port = proxy.port if isinstance(proxy, Proxy) else testbed.server.port
        with slow_clients(port, number):
            pause(SLOW_FOR)
            testbed.health("live", {200}, within=1)
            testbed.health("ready", {200}, within=1)
        return testbed.recovered()

    title = f"{number} slow clients" + (" through nginx" if number == 100 else ", no proxy")
    around = Proxy if number == 100 else None
    return Fault(title, make, around=around, processes=1, felt=False, slowest=1)


FAULTS = {
    "kill": Fault("server process killed", killed, replaced=1, felt=None),
    "term": Fault("SIGTERM, and started again", terminated, replaced=2),
    "reload": Fault("SIGHUP", reloaded, short=False, replaced=2, felt=None),
    "slow": slow(40),
    "proxy": slow(100),
}

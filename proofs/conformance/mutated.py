"""Randomly changed requests and tokens never cause a 500 or a crash (fuzzing, raw sockets).

python -m proofs.conformance.mutated --project DIR [--short]

The proof runs in the project's environment. No response may be a 500, no server process may end,
and each complete request gets a response within two seconds. The seed is fixed.
"""

import re
import socket
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from proofs.conformance.mutator import Mutator
from proofs.conformance.served_project import arguments
from proofs.harness.processes import Running, free_port, wait_for_port
from proofs.harness.testbed import Testbed

NUMBER, NUMBER_SHORT, SEED = 100_000, 3_000, 20_240_915
CLIENTS, PROCESSES = 8, 2
LONGEST_SILENCE = 2.0
INCOMPLETE_SECONDS = 0.01  # The server waits for the rest of a request, as docs/operations.md says.
SERVER_ERROR = 500


@dataclass
class Ledger:
    answers: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)
    slowest: float = 0.0
    lock: Lock = field(default_factory=Lock)

    def note(self, request: bytes, status: int, seconds: float, *, whole: bool) -> None:
        silent = whole and seconds > LONGEST_SILENCE
        with self.lock:
            self.answers[str(status or ("none" if whole else "none, for it was cut"))] += 1
            self.slowest = max(self.slowest, seconds)
            for fault, found in (("500", status == SERVER_ERROR), ("silent", silent)):
                if found:
                    self.faults[fault] += 1
                    self.told.append(f"{fault}: {request[:400]!r}")


def is_whole(request: bytes) -> bool:
    """Tell whether the request is complete: else the server may wait for the rest."""
    head, end, body = request.lstrip(b"\r\n").partition(b"\r\n\r\n")
    lengths = re.findall(rb"(?im)^content-length\s*:\s*(\d+)\s*$", head)
    if not end or re.search(rb"(?i)transfer-encoding", head):
        return False
    return not lengths or (
        len(lengths) == 1 and len(lengths[0]) < 10 and int(lengths[0]) <= len(body)
    )


def ask(port: int, request: bytes, *, whole: bool) -> tuple[int, float]:
    """Return the status, 0 for no response, and the seconds until the first line."""
    begun, received = time.monotonic(), b""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            client.sendall(request)
            client.settimeout(10 if whole else INCOMPLETE_SECONDS)
            while b"\r\n" not in received and (part := client.recv(4096)):
                received += part
    except OSError:
        pass  # The server closed the connection early, or waits for the rest.
    found = re.match(rb"HTTP/1\.[01] (\d{3})", received)
    return int(found[1]) if found else 0, time.monotonic() - begun


def children(server: Running) -> set[str]:
    pid = server.process.pid
    return set(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())


def bombard(port: int, key: bytes, number: int) -> Ledger:
    ledger = Ledger()

    def client(seed: int) -> None:
        mutator = Mutator(SEED + seed, key, f"127.0.0.1:{port}")
        for _ in range(number // CLIENTS):
            request = mutator.request()
            whole = is_whole(request)
            ledger.note(request, *ask(port, request, whole=whole), whole=whole)

    with ThreadPoolExecutor(CLIENTS) as clients:
        for done in [clients.submit(client, seed) for seed in range(CLIENTS)]:
            done.result()
    return ledger


def main() -> int:
    given = arguments(__doc__)
    testbed, begun = Testbed(given.project), time.monotonic()
    try:
        database = testbed.cluster.create(testbed.cluster.empty)
        testbed.serving.run(database, "db", "upgrade")
        port = free_port()
        more = {"WORKERS": str(PROCESSES), "THREADS": "8"}
        server = testbed.serving.manage(database, "serve", "--port", str(port), **more)
        server.wait_for("Started worker-", times=PROCESSES, seconds=120)
        wait_for_port(port)
        before = children(server)
        key = (testbed.folder / "issuer.pem").read_bytes()
        ledger = bombard(port, key, NUMBER_SHORT if given.short else NUMBER)
        lost = before - children(server)
        crashes = len(re.findall("panicked|Traceback", server.output))
        print("\n".join(ledger.told[:20]))
    finally:
        testbed.close()
    print("  answered: " + ", ".join(f"{s} {n}" for s, n in sorted(ledger.answers.items())))
    print(
        f"mutated: {sum(ledger.answers.values())} requests, {ledger.faults['500']} answers of 500, "
        f"{len(lost)} of {PROCESSES} processes lost, {ledger.faults['silent']} silent for more "
        f"than {LONGEST_SILENCE:g} s, {crashes} crashes in the log, the slowest answer in "
        f"{ledger.slowest:.2f} s, in {time.monotonic() - begun:.0f} s"
    )
    return 1 if lost or crashes or sum(ledger.faults.values()) else 0


if __name__ == "__main__":
    sys.exit(main())

"""Puts one application under one load for some seconds, and measures it."""

import json
import subprocess
import time
from dataclasses import asdict, dataclass
from os import SEEK_END
from pathlib import Path
from typing import Any

from benchmarks.meters import cpu_seconds
from benchmarks.requests import CREATED, requests
from benchmarks.servers import Server

SCRIPT = Path(__file__).parent / "load.lua"
QUIET_SECONDS, QUIET_LOOKS = 0.02, 4
KNOWN = '"subject":"proof"'  # Stands in the log line of a request whose token was verified.
LINE = 1000  # Bytes, more than the longest response has.


class LoadError(Exception):
    """An application answered wrongly, so no figure of the run is valid."""


@dataclass(frozen=True, slots=True)
class Measurement:
    application: str
    workload: str
    connections: int
    answers: int
    rate: float  # Responses per second.
    p50: float  # Milliseconds.
    p99: float
    cpu: float  # CPU microseconds per response of the server's processes.
    postgres: float  # CPU microseconds per response of PostgreSQL's processes.
    busy: float  # Use of the server's core; well below 1, something else limits the throughput.

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Load:
    """One load on one application. `pages` are paths of pages from the application's responses."""

    server: Server
    ids: list[str]
    pages: list[str]
    cores: set[int]

    def measure(self, workload: str, connections: int, seconds: int) -> Measurement:
        rows, server = self.server.rows, self.server
        changed = rows.changes()
        path = self._write_requests(workload)
        before = cpu_seconds(server.pid), cpu_seconds(rows.server.pid)
        told = self._wrk(path, connections, seconds)
        after = cpu_seconds(server.pid), cpu_seconds(rows.server.pid)
        answers = told["answers"]
        self._require_good(workload, connections, told)
        self._wait_until_quiet()
        if workload == "create":
            self._require_stored(rows.remove(CREATED), answers, connections)
        if workload == "update":
            self._require_stored(rows.changes() - changed, answers, connections)
        if workload in {"create", "update"}:
            rows.settle()
        spent, of_postgres = (after[i] - before[i] for i in (0, 1))
        return Measurement(
            application=server.contestant.name,
            workload=workload,
            connections=connections,
            answers=answers,
            rate=answers / told["seconds"],
            p50=told["p50"],
            p99=told["p99"],
            cpu=spent / answers * 1e6,
            postgres=of_postgres / answers * 1e6,
            busy=spent / told["seconds"],
        )

    def _wait_until_quiet(self) -> None:
        """Wait until the requests that were unfinished at the end of the load are processed."""
        quiet, before = 0, -1.0
        while quiet < QUIET_LOOKS:
            time.sleep(QUIET_SECONDS)
            now = cpu_seconds(self.server.pid) + cpu_seconds(self.server.rows.server.pid)
            quiet, before = (quiet + 1 if now == before else 0), now

    def _wrk(self, requests: Path, connections: int, seconds: int) -> dict[str, Any]:
        cores = ",".join(map(str, sorted(self.cores)))
        command = ["taskset", "--cpu-list", cores, "wrk", "--threads=1", "--timeout=10s"]
        command += [f"--connections={connections}", f"--duration={seconds}s", f"--script={SCRIPT}"]
        command += [f"http://127.0.0.1:{self.server.port}", "--", str(requests)]
        command += filter(None, [self.server.contestant.token])
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        if ended.returncode:
            raise LoadError(f"wrk failed: {ended.stderr or ended.stdout}")
        told: dict[str, Any] = json.loads(ended.stderr)
        return told

    def _write_requests(self, workload: str) -> Path:
        contestant = self.server.contestant
        path = self.server.log.with_name(f"{contestant.name}.requests")
        lines = requests(contestant, workload, self.ids, self.pages)
        path.write_text("".join(f"{line}\n" for line in lines))
        return path

    def _require_good(self, workload: str, connections: int, told: dict[str, Any]) -> None:
        if told["refused"] or told["broken"] or not told["answers"]:
            raise LoadError(
                f"{self.server.contestant.title}, {workload}, {connections} connections: "
                f"{told['answers']} answers, of them {told['refused']} errors, and "
                f"{told['broken']} connections that broke. Its log: {self.server.log.read_text()}"
            )

        if (
            self.server.contestant.is_onion
            and self.server.contestant.token
            and KNOWN not in self._last_line()
        ):
            raise LoadError(f"{self.server.contestant.title}: no token was verified.")

    def _last_line(self) -> str:
        with self.server.log.open("rb") as log:
            log.seek(-min(LINE, log.seek(0, SEEK_END)), SEEK_END)
            return log.read().decode().splitlines()[-1]

    def _require_stored(self, stored: int, answers: int, connections: int) -> None:
        """Compare answered and stored writes; unfinished ones may be stored and not counted."""
        if not answers <= stored <= answers + connections:
            title = self.server.contestant.title
            raise LoadError(f"{title} answered {answers} writes and stored {stored}.")

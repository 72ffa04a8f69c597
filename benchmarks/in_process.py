"""Calls the generated project's WSGI application without a server, in its environment.

See benchmarks.profile.
"""

import io
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.parts import shares
from benchmarks.postgres import postgres
from benchmarks.programme import stop
from benchmarks.report import table
from benchmarks.rows import Rows
from benchmarks.sampler import Sampler
from benchmarks.servers import PING, migrate, variables

WORKLOADS = ["read", "list", "create", "update", "ping"]
TODOS = "/my_service/v1/todos"
BATCH = 200

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Caller:
    def __init__(self, app: WsgiApp, ids: list[str]) -> None:
        self._app = app
        self._ids = ids
        self._count = 0
        self.headers: dict[str, str] = {}  # The WSGI environ of each request.
        page = json.loads(self.call("GET", TODOS, query="limit=20"))
        self._query = f"limit=20&cursor={page['next']}"

    def call(self, method: str, path: str, *, query: str = "", body: bytes = b"") -> bytes:
        environ = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "8000",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "127.0.0.1:8000",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            **self.headers,
        }
        if body:
            environ |= {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body))}
        told: list[str] = []
        answer = self._app(environ, lambda status, *_: told.append(status))
        content = b"".join(answer)
        if hasattr(answer, "close"):
            answer.close()
        if not told[0].startswith("2"):
            sys.exit(f"{method} {path} was answered with {told[0]}: {content!r}")
        return content

    def once(self, workload: str) -> None:
        self._count += 1
        one = f"{TODOS}/{self._ids[self._count * 7919 % len(self._ids)]}"
        body = b'{"title": "Written in process, number %d"}' % self._count
        if workload == "ping":
            self.call("GET", PING)
        elif workload == "read":
            self.call("GET", one)
        elif workload == "list":
            self.call("GET", TODOS, query=self._query)
        elif workload == "create":
            self.call("POST", TODOS, body=body)
        else:
            self.call("PATCH", one, body=body)

    def microseconds(self, workload: str, seconds: float) -> float:
        """Return the CPU microseconds per request of this process and its kernel time, a median."""
        found, until = [], time.process_time() + seconds
        while (began := time.process_time()) < until:
            for _ in range(BATCH):
                self.once(workload)
            found.append((time.process_time() - began) / BATCH * 1e6)
        return median(found)


def tables(caller: Caller, seconds: float) -> str:
    costs, owners, by_step = {}, {}, {}
    for workload in WORKLOADS:
        caller.microseconds(workload, 1)
        costs[workload] = caller.microseconds(workload, seconds)
        sampler = Sampler()
        with sampler.running():
            caller.microseconds(workload, seconds)
        owners[workload], by_step[workload] = shares(sampler.stacks)
    return "\n\n".join(
        [
            _table("CPU us a request, by whose code", owners, costs, total=True),
            _table("CPU us a request, by step (some hold others)", by_step, costs, total=False),
        ]
    )


def _table(
    title: str, found: dict[str, dict[str, float]], costs: dict[str, float], *, total: bool
) -> str:
    names = {name for one in found.values() for name in one}
    order = sorted(names, key=lambda name: -sum(one.get(name, 0) for one in found.values()))
    if not total:
        order = list(next(iter(found.values())))
    lines = [[title, *WORKLOADS]]
    for name in order:
        shares_of = [found[workload].get(name, 0) for workload in WORKLOADS]
        cells = [f"{share * costs[w]:.0f}" for w, share in zip(WORKLOADS, shares_of, strict=True)]
        lines.append([name, *cells])
    if total:
        lines.append(["in all", *(f"{costs[workload]:.0f}" for workload in WORKLOADS)])
    return table(lines)


def main() -> int:
    project, seconds = Path(sys.argv[1]), float(sys.argv[2])
    core = max(os.sched_getaffinity(0))
    cores = os.sched_getaffinity(0) - {core}
    with postgres(project, cores) as server:
        rows = Rows(server, "profile")
        migrate(project, rows)
        rows.fill()
        os.sched_setaffinity(0, {core})
        os.environ.update(variables(rows))
        os.chdir(project)
        sys.path.insert(0, str(project))
        from src.app import app  # type: ignore[import-not-found]

        print(tables(Caller(app.wsgi_app, rows.ids()), seconds))
        rows.close()
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stop)
    sys.exit(main())

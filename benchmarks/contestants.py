"""The applications that are compared, each on the server that its documentation recommends.

The WSGI ones have the server of the generated project, with as many threads, so that only what
lies behind it differs. Each has as many connections to PostgreSQL as the others.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

APPLICATIONS = Path(__file__).parent / "applications"
ENVIRONMENTS = Path(__file__).parent / ".environments"
THREADS = 8
JWT = "onion_jwt"
BASE = "flask"  # What the others are divided by.
WORKLOADS = ("read", "list", "count", "create", "update", "ping")
# With as many connections, variants of an application and the page with a count are measured, too.
USUAL = 16

GRANIAN = (
    "granian --interface wsgi --no-ws --workers 1 --blocking-threads {threads}"
    " --blocking-threads-idle-timeout 600 --log-level warning --host 127.0.0.1 --port {port}"
    " app:app"
)
# An access log is no part of the comparison, and uvicorn's costs much.
UVICORN = "uvicorn --no-access-log --log-level warning --host 127.0.0.1 --port {port} app:app"


@dataclass(frozen=True, slots=True)
class Contestant:
    name: str
    title: str
    server: str
    command: str
    folder: str = ""
    todos: str = "/todos"
    counted: str = "/counted-todos"  # Pages by offset, with a count, where it has them.
    workloads: tuple[str, ...] = WORKLOADS
    settings: Mapping[str, str] = field(default_factory=dict)
    token: str = ""  # It comes with each request.
    shows: str = ""  # A header of each answer that is no error.

    @property
    def is_variant(self) -> bool:
        return self.workloads != WORKLOADS

    def has(self, workload: str, connections: int) -> bool:
        usual = connections == USUAL or not (self.is_variant or workload == "count")
        return usual and workload in self.workloads

    def requirements(self) -> Path:
        return APPLICATIONS / self.folder / "requirements.txt"

    def directory(self, project: Path) -> Path:
        return APPLICATIONS / self.folder if self.folder else project

    def arguments(self, project: Path, port: int) -> list[str]:
        binaries = ENVIRONMENTS / self.name / "bin" if self.folder else project / ".venv/bin"
        program, *rest = self.command.format(port=port, threads=THREADS).split()
        return [str(binaries / program), *rest]


ONION = Contestant(
    name="onion",
    title="generated project",
    server="granian",
    command="python manage.py serve --host 127.0.0.1 --port {port}",
    todos="/my_service/v1/todos",
    counted="",
)
CONTESTANTS = [
    ONION,
    replace(ONION, name=JWT, title="  a JWT each request", workloads=("read", "create")),
    replace(
        ONION,
        name="onion_limited",
        title="  the rate limiter on",
        workloads=("read", "create"),
        settings={"RATE_LIMIT": "1000000 per second"},
        shows="X-RateLimit-Remaining",
    ),
    Contestant("wsgi", "bare WSGI, psycopg2", "granian", GRANIAN, "bare_wsgi"),
    Contestant(BASE, "bare Flask, psycopg2", "granian", GRANIAN, "bare_flask"),
    Contestant("litestar", "Litestar, SQLAlchemy async", "uvicorn", UVICORN, "litestar_app"),
    Contestant("fastapi", "FastAPI, SQLAlchemy async", "uvicorn", UVICORN, "fastapi_app"),
    Contestant("django", "Django REST framework", "granian", GRANIAN, "django_app"),
]
NAMES = [contestant.name for contestant in CONTESTANTS]

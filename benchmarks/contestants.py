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
ONION_NAME = "onion"
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
    verifies: bool = False  # A token, which comes with each request.
    token: str = ""
    shows: str = ""  # A header of each answer that is no error.

    @property
    def is_onion(self) -> bool:
        return not self.folder

    @property
    def is_variant(self) -> bool:
        return self.workloads != WORKLOADS

    def has(self, workload: str, connections: int) -> bool:
        usual = connections == USUAL or not (self.is_variant or workload == "count")
        return usual and workload in self.workloads

    @property
    def environment(self) -> str:
        """Of a name: variants share one."""
        return self.folder.removesuffix("_app").removeprefix("bare_") or ONION_NAME

    def requirements(self) -> Path:
        return APPLICATIONS / self.folder / "requirements.txt"

    def directory(self, project: Path) -> Path:
        return APPLICATIONS / self.folder if self.folder else project

    def arguments(self, project: Path, port: int) -> list[str]:
        binaries = ENVIRONMENTS / self.environment / "bin" if self.folder else project / ".venv/bin"
        program, *rest = self.command.format(port=port, threads=THREADS).split()
        return [str(binaries / program), *rest]


ONION = Contestant(
    name=ONION_NAME,
    title="generated project, a JWT each request",
    verifies=True,
    server="granian",
    command="python manage.py serve --host 127.0.0.1 --port {port}",
    todos="/my_service/v1/todos",
    counted="",
)
LITESTAR = Contestant("litestar", "Litestar, SQLAlchemy async", "uvicorn", UVICORN, "litestar_app")
FASTAPI = Contestant("fastapi", "FastAPI, SQLAlchemy async", "uvicorn", UVICORN, "fastapi_app")
VARIANT = ("read", "create")


def _with_token(contestant: Contestant) -> Contestant:
    name = f"{contestant.name}_jwt"
    return replace(
        contestant, name=name, title=f"{contestant.title}, PyJWT", workloads=VARIANT, verifies=True
    )


LITESTAR_JWT, FASTAPI_JWT = _with_token(LITESTAR), _with_token(FASTAPI)
PEERS = [one.name for one in (LITESTAR, LITESTAR_JWT, FASTAPI, FASTAPI_JWT)]
CONTESTANTS = [
    ONION,
    replace(ONION, name="onion_open", title="  no token", workloads=VARIANT, verifies=False),
    replace(
        ONION,
        name="onion_limited",
        title="  the rate limiter on",
        workloads=VARIANT,
        settings={"RATE_LIMIT": "1000000 per second"},
        shows="X-RateLimit-Remaining",
    ),
    Contestant("wsgi", "bare WSGI, psycopg2", "granian", GRANIAN, "bare_wsgi"),
    Contestant(BASE, "bare Flask, psycopg2", "granian", GRANIAN, "bare_flask"),
    LITESTAR,
    LITESTAR_JWT,
    FASTAPI,
    FASTAPI_JWT,
    Contestant("django", "Django REST framework", "granian", GRANIAN, "django_app"),
]
NAMES = [contestant.name for contestant in CONTESTANTS]

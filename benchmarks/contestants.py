"""The compared applications, each on the server that its documentation recommends.

WSGI applications run on the generated project's server with the same number of threads, so that
only the application differs. All have the same number of connections to PostgreSQL.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

APPLICATIONS = Path(__file__).parent / "applications"
ENVIRONMENTS = Path(__file__).parent / ".environments"
THREADS = 8
ONION_NAME = "onion"
BASE = "flask"  # The reference: figures of the others are divided by its figures.
WORKLOADS = ("read", "list", "count", "create", "update", "ping")
# At this number of connections, variants of applications and counted pages are measured, too.
USUAL = 16

GRANIAN = (
    "granian --interface wsgi --no-ws --workers 1 --blocking-threads {threads}"
    " --blocking-threads-idle-timeout 600 --log-level warning --host 127.0.0.1 --port {port}"
    " app:app"
)
# The comparison has no access logs, and uvicorn's is expensive.
UVICORN = "uvicorn --no-access-log --log-level warning --host 127.0.0.1 --port {port} app:app"


@dataclass(frozen=True, slots=True)
class Contestant:
    name: str
    title: str
    server: str
    command: str
    folder: str = ""
    todos: str = "/todos"
    counted: str = (
        "/counted-todos"  # Path of pages by offset with a count, where the application has them.
    )
    workloads: tuple[str, ...] = WORKLOADS
    settings: Mapping[str, str] = field(default_factory=dict)
    verifies: bool = False  # Each request sends a token.
    token: str = ""
    shows: str = ""  # A header that each successful response must have.
    project: Path | None = None  # Of a generated project; None for the one that is measured.

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
        """Return the name of the environment, which variants of an application share."""
        return self.folder.removesuffix("_app").removeprefix("bare_") or ONION_NAME

    def requirements(self) -> Path:
        return APPLICATIONS / self.folder / "requirements.txt"

    def directory(self, project: Path) -> Path:
        return APPLICATIONS / self.folder if self.folder else self.project or project

    def arguments(self, project: Path, port: int) -> list[str]:
        installed = (
            ENVIRONMENTS / self.environment if self.folder else self.directory(project) / ".venv"
        )
        program, *rest = self.command.format(port=port, threads=THREADS).split()
        return [str(installed / "bin" / program), *rest]


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

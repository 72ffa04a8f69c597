"""The applications that are compared, each on the server that its documentation recommends.

The WSGI ones have the server of the generated project, with as many threads, so that only what
lies behind it differs. Each has as many connections to PostgreSQL as the others.
"""

from dataclasses import dataclass
from pathlib import Path

APPLICATIONS = Path(__file__).parent / "applications"
ENVIRONMENTS = Path(__file__).parent / ".environments"
THREADS = 8
BASE = "flask"  # What the others are divided by.

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

    def requirements(self) -> Path:
        return APPLICATIONS / self.folder / "requirements.txt"

    def directory(self, project: Path) -> Path:
        return APPLICATIONS / self.folder if self.folder else project

    def arguments(self, project: Path, port: int) -> list[str]:
        binaries = ENVIRONMENTS / self.name / "bin" if self.folder else project / ".venv/bin"
        program, *rest = self.command.format(port=port, threads=THREADS).split()
        return [str(binaries / program), *rest]


CONTESTANTS = [
    Contestant(
        name="onion",
        title="generated project",
        server="granian",
        command="python manage.py serve --host 127.0.0.1 --port {port}",
        todos="/my_service/v1/todos",
    ),
    Contestant("wsgi", "bare WSGI, psycopg2", "granian", GRANIAN, "bare_wsgi"),
    Contestant(BASE, "bare Flask, psycopg2", "granian", GRANIAN, "bare_flask"),
    Contestant("litestar", "Litestar, SQLAlchemy async", "uvicorn", UVICORN, "litestar_app"),
    Contestant("fastapi", "FastAPI, SQLAlchemy async", "uvicorn", UVICORN, "fastapi_app"),
    Contestant("django", "Django REST framework", "granian", GRANIAN, "django_app"),
]
NAMES = [contestant.name for contestant in CONTESTANTS]

"""The testbed of a proof: copies of a generated project, a PostgreSQL and servers."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from proofs.harness.database import Cluster, Database
from proofs.harness.issuer import Issuer
from proofs.harness.processes import Processes, Running, free_port, wait_for_port
from proofs.harness.project_copy import copy_project
from proofs.harness.proof_revision import Revision

# However this process ends, the program's standard input closes: then it ends with its PostgreSQL.
POSTGRES = """
import sys
from pathlib import Path
from chassis.postgres.embedded import start_embedded_postgres
print(start_embedded_postgres(Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""
FIRST = "0001"
OWN_SETTINGS = re.compile(r"MAKE|MFLAGS|VIRTUAL_ENV|DATABASE_URL|WORKERS|THREADS|PORT|HOST")


class Testbed:
    def __init__(self, project: Path) -> None:
        self._original = project.resolve()
        self._processes = Processes()
        self._filled: dict[int, Database] = {}
        # Beside the project: root's PostgreSQL runs as another user, who has to read both.
        self.folder = Path(tempfile.mkdtemp(prefix="rehearsal-", dir=self._original.parent))
        self.folder.chmod(0o755)
        try:
            self.issuer = Issuer(self._original / ".venv/bin/python", self.folder)
            self.serving = self.variant("serving")
            self.cluster = self._start_cluster()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._processes.close()
        shutil.rmtree(self.folder)

    def variant(
        self, name: str, revisions: list[Revision] | None = None, *, plain: bool = False
    ) -> "Project":
        """Copy the project, and add these revisions after its first one."""
        target = self.folder / name
        copy_project(self._original, target)
        below = FIRST
        for number, revision in enumerate(revisions or [], int(FIRST) + 1):
            text = revision.text(f"{number:04}", below, plain=plain)
            (target / f"migrations/versions/{number:04}_{revision.name}.py").write_text(text)
            below = f"{number:04}"
        return Project(target, self._processes, self.issuer.settings(), head=below)

    def filled(self, rows: int) -> Database:
        """Return a database at the first revision with so many todos, to be cloned."""
        if rows not in self._filled:
            database = self.cluster.create(self.cluster.empty)
            self.serving.run(database, "db", "upgrade")
            database.rows(
                "INSERT INTO todos (id, title, version)"
                " SELECT gen_random_uuid(), 'Seed ' || n, 1 FROM generate_series(1, %s) n",
                rows,
            )
            database.rows("VACUUM ANALYZE todos")
            self._filled[rows] = database
        return self._filled[rows]

    @contextmanager
    def clone(self, rows: int) -> Iterator[Database]:
        with self.cluster.clone(self.filled(rows)) as database:
            yield database

    def _start_cluster(self) -> Cluster:
        folder = self.folder / "postgres"
        holder = self.serving.python("-c", POSTGRES, str(folder), ends_with_input=True)
        url = holder.wait_for("^postgresql", seconds=120).text
        Cluster(url, folder / "log").configure()
        self._processes.end(holder)
        holder = self.serving.python("-c", POSTGRES, str(folder), ends_with_input=True)
        return Cluster(holder.wait_for("^postgresql").text, folder / "log")


class Project:
    def __init__(
        self, path: Path, processes: Processes, settings: dict[str, str], head: str
    ) -> None:
        self.path = path
        self.head = head
        self._settings = settings
        self._processes = processes

    def python(
        self,
        *arguments: str,
        variables: dict[str, str] | None = None,
        ends_with_input: bool = False,
    ) -> Running:
        inherited = {n: v for n, v in os.environ.items() if not OWN_SETTINGS.match(n)}
        settings = self._settings | {
            "ENVIRONMENT": "production",
            "SECRET_KEY": "of-the-rehearsal-and-of-nothing-else",
            "RATE_LIMIT": "",  # All clients share one subject, so a limit would reject them.
            "LOG_LEVEL": "WARNING",
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": str(self.path),
        }
        return self._processes.start(
            [str(self.path / ".venv/bin/python"), *arguments],
            cwd=self.path,
            env=inherited | settings | (variables or {}),
            ends_with_input=ends_with_input,
        )

    def manage(self, database: Database, *arguments: str, **variables: str) -> Running:
        """Start `python manage.py ...`."""
        variables["DATABASE_URL"] = database.url
        return self.python("manage.py", *arguments, variables=variables)

    def run(self, database: Database, *arguments: str) -> Running:
        """Run `python manage.py ...`; raise AssertionError where it fails."""
        return self.manage(database, *arguments).expect(0)

    def patch(self, name: str, *changes: tuple[str, str]) -> None:
        """Replace texts in a file. Raise AssertionError where one is missing."""
        file = self.path / name
        text = file.read_text()
        for old, new in changes:
            if old not in text:
                raise AssertionError(f"{name} has no {old!r}.")
            text = text.replace(old, new)
        file.write_text(text)

    @contextmanager
    def serve(self, database: Database, *, workers: int, threads: int) -> Iterator[int]:
        """Run the production server; yield its port once all its processes have started."""
        port = free_port()
        server = self.manage(
            database,
            "serve",
            "--port",
            str(port),
            WORKERS=str(workers),
            THREADS=str(threads),
        )
        try:
            server.wait_for("Started worker-", times=workers, seconds=120)
            wait_for_port(port)  # Where the machine is busy, a worker listens later than it says.
            yield port
        finally:
            self._processes.end(server)

"""A running service whose database is replaced by a fresh copy for each migration."""

import json
import os
import shutil
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from proofs.harness.database import Database
from proofs.harness.load import Answer, Mix, load
from proofs.refusals.cases import BASE, ROWS, Step
from proofs.refusals.servers import VersionedTestbed

ROOT = Path(__file__).resolve().parent.parent.parent
REVISION = '''"""Of a proof."""

import sqlalchemy as sa
from alembic import op

from chassis.migrations import operations

revision = "{number:04}"
down_revision = "{below:04}"
maintenance = "none"
phase = "expand"
irreversible = "It is only rehearsed."


def upgrade() -> None:
    {lines}


def downgrade() -> None:
    raise NotImplementedError
'''
READY_SECONDS = 60
SEEN_SECONDS = 1.2  # Seconds until each server process has read that a window has ended.
WARM_SECONDS, BEFORE_SECONDS, AFTER_SECONDS = 0.3, 1.2, 1.7
CLIENTS, MIX = 6, Mix(writes=0.5, slow=0, pause=0.03)
# So many successful responses in a row, of reads and of writes, so that each process gave some.
AGAIN = 12


class MigrationTestbed:
    def __init__(self, project: Path, version: str, rows: int) -> None:
        self._stack = ExitStack()
        self._tasks = 0
        try:
            self.versioned = VersionedTestbed(project, version)
            self._stack.callback(self.versioned.close)
            serving = self.versioned.serving
            path = os.pathsep.join([str(serving.path), str(ROOT)])
            self._driver = serving.python(
                "-m",
                "proofs.refusals.driver",
                variables={"PYTHONPATH": path},
                ends_with_input=True,
            )
            self._template = self._filled(rows)
            self.live = Database(self.versioned.cluster, "live")
            self._copy_template()
            served = serving.serve(self.live, workers=2, threads=4)
            self.port = self._stack.enter_context(served)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._stack.close()

    def revisions(self, name: str, steps: tuple[Step, ...]) -> Path:
        """Write a folder with the project's own revision, `BASE` and these steps."""
        folder = self.versioned.folder / name
        own = self.versioned.serving.path / "migrations"
        shutil.copytree(own, folder / "migrations")
        settings = "[tool.alembic]\nscript_location = '%(here)s/migrations'\n"
        (folder / "pyproject.toml").write_text(settings)
        for number, step in enumerate([BASE, *steps], 2):
            lines = "\n    ".join(map(_python, [step] if isinstance(step, str) else step))
            text = REVISION.format(number=number, below=number - 1, lines=lines)
            (folder / f"migrations/versions/{number:04}_.py").write_text(text)
        return folder

    def prepare(self, folder: Path) -> Any:
        return self._task("prepare", folder, self._template)

    def run(self, folder: Path, ids: str) -> dict[str, Any]:
        """Measure the load without the migration, then the same load with it."""
        self._copy_template()
        self._wait_until_ready()
        with load(self.port, clients=CLIENTS, mix=MIX) as answers:
            time.sleep(WARM_SECONDS)
            begun = time.time()
            time.sleep(BEFORE_SECONDS)
            middle = time.time()
            failure = self._task("upgrade", folder, self.live)
            ended = time.time()
            time.sleep(AFTER_SECONDS)
        there = {row[0] for row in self.live.rows(ids)}
        afterwards = [one for one in answers.answers if one.sent > ended + SEEN_SECONDS]
        unexplained = answers.unexplained()
        return {
            "failure": failure,
            "seconds": ended - middle,
            "without": [longest(each, begun, middle) for each in kinds(answers.answers)],
            "with": [longest(each, middle, time.time()) for each in kinds(answers.answers)],
            "writes": len(answers.accepted()),
            "lost": sum(1 for one in answers.writes() if one.id and one.id not in there),
            "unexplained": [f"{one.status} {one.said[:200]}" for one in unexplained[:3]],
            "unexplained_count": len(unexplained),
            "refused_afterwards": sum(not one.good for one in afterwards),
            "windows": self.live.open_windows(),
        }

    def _filled(self, rows: int) -> Database:
        database = self.versioned.cluster.create(self.versioned.cluster.empty)
        failure = self._task("upgrade", self.revisions("base", ()), database)
        if failure:
            raise AssertionError(failure)
        database.rows(ROWS.format(rows=rows))
        database.rows("VACUUM ANALYZE")
        return database

    def _copy_template(self) -> None:
        admin = self.versioned.cluster.admin
        admin.rows("DROP DATABASE IF EXISTS live WITH (FORCE)")
        admin.rows(f"CREATE DATABASE live TEMPLATE {self._template.name}")

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while True:
            with load(self.port, clients=2, mix=Mix(writes=0.5, slow=0, pause=0)) as answers:
                time.sleep(0.3)
            asked = kinds(answers.answers)
            if all(len(each) > AGAIN and all(one.good for one in each) for each in asked):
                return
            if time.monotonic() > deadline:
                raise AssertionError(f"The service does not recover: {answers.answers[-1]}")

    def _task(self, action: str, folder: Path, database: Database) -> Any:
        self._tasks += 1
        task = {"action": action, "folder": str(folder), "url": database.url}
        self._driver.answer(json.dumps(task | {"number": self._tasks}))
        mark = f"task {self._tasks} "
        return json.loads(self._driver.wait_for(f"^{mark}", seconds=180).text.removeprefix(mark))


def kinds(answers: list[Answer]) -> tuple[list[Answer], list[Answer]]:
    return [one for one in answers if one.write], [one for one in answers if not one.write]


def longest(answers: list[Answer], begin: float, end: float) -> float:
    """Return the longest time in seconds in which a client got no successful response."""
    worst = 0.0
    for client in {one.client for one in answers}:
        since = None
        mine = [one for one in answers if one.client == client and begin <= one.received <= end]
        for one in mine:
            since = one.sent if since is None else since
            worst = max(worst, one.received - since)
            if one.good:
                since = None
    return worst


def _python(line: str) -> str:
    return line if line.startswith("operations.") else f"op.execute({line!r})"

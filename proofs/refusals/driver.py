"""Checks and applies revisions in a project's environment.

One process does all tasks, which saves the start of Python. It reads a task as a line of JSON, and
prints a line with the task's number and result.
"""
# mypy: ignore-errors

import json
import sys
from contextlib import redirect_stdout
from pathlib import Path
from unittest.mock import patch

import src  # noqa: F401  # Importing src makes the project known to the chassis.
from chassis.migrations.check import declare, judge_all
from chassis.migrations.commands import Migrations, migration_scripts
from chassis.migrations.measuring import write_measurements
from chassis.migrations.plan import Options
from chassis.migrations.scratch import scratch_database
from chassis.project import Project, current_project

OWN = 2  # The number of revisions before a migration's own.


def prepare(url: str, own: int = OWN) -> list[list]:
    """Write the verdict of `db check` into the revisions; return mode, phase and rules of each."""
    with scratch_database(url) as scratch:
        scripts = migration_scripts()
        verdicts = judge_all(scratch, scripts, current_project().metadata)
    paths = [Path(one.path) for one in scripts.walk_revisions()][::-1]
    for verdict, path in zip(verdicts[own:], paths[own:], strict=False):
        declare(verdict, path)
        write_measurements(path, verdict.footprint, None)
    rules = [[one.rule for one in verdict.findings] for verdict in verdicts]
    failures = [verdict.failures for verdict in verdicts]
    return [
        [str(verdict.mode), verdict.phase, sorted({*rules} - {"MIG012", "MIG015"}), failed]
        for verdict, rules, failed in zip(verdicts, rules, failures, strict=True)
    ][own:]


def upgrade(url: str) -> str:
    """Apply the revisions; return the error, or None."""
    said = []
    options = Options(wait=5, drain_timeout=20, lock_budget=60, say=lambda *line: said.append(line))
    try:
        Migrations(url, options).upgrade()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def main() -> None:
    for line in sys.stdin:
        task = json.loads(line)
        action = {"prepare": prepare, "upgrade": upgrade}[task["action"]]
        with (
            patch.object(Project, "alembic_file", Path(task["folder"]) / "pyproject.toml"),
            redirect_stdout(sys.stderr),
        ):
            try:
                found = action(task["url"])
            except Exception as error:
                found = f"{type(error).__name__}: {error}"
        print(f"task {task['number']}", json.dumps(found), flush=True)


if __name__ == "__main__":
    main()

"""Serves a project for the proofs of its API, and runs client programs on it."""

import argparse
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from proofs.harness.database import Database
from proofs.harness.issuer import Issuer
from proofs.harness.testbed import Testbed

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Served:
    """A running production server, its database, and a folder for client programs' files."""

    url: str
    database: Database
    folder: Path
    issuer: Issuer


@dataclass(frozen=True, slots=True)
class Arguments:
    project: Path
    tools: Path  # The folder with the client programs' commands.
    short: bool


def arguments(description: str | None) -> Arguments:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--project", type=Path, required=True, help="with its environment")
    parser.add_argument("--tools", type=Path, default=ROOT / ".venv/bin", help="their commands")
    parser.add_argument("--short", action="store_true", help="fewer of each")
    given = parser.parse_args()
    return Arguments(given.project, given.tools.absolute(), given.short)


@contextmanager
def served(project: Path, *, rows: int = 0) -> Iterator[Served]:
    testbed = Testbed(project)
    try:
        with (
            testbed.clone(rows) as database,
            testbed.serving.serve(database, workers=1, threads=8) as port,
        ):
            folder = testbed.folder / "tools"
            folder.mkdir()
            yield Served(f"http://127.0.0.1:{port}", database, folder, testbed.issuer)
    finally:
        testbed.close()


def program(*command: str | Path, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, without the Python variables of this process."""
    own = ("PYTHONPATH", "VIRTUAL_ENV", "PYTHONHOME")
    inherited = {name: value for name, value in os.environ.items() if name not in own}
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**inherited, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )

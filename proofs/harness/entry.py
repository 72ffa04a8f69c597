"""The command line that every proof has, and the project that a proof runs on."""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from proofs.harness.generation import ROOT, generate


def parser(name: str, description: str | None, *, project: bool = True) -> argparse.ArgumentParser:
    """A parser with --project or without; `name` is the proof's module without `proofs.`."""
    made = argparse.ArgumentParser(
        prog=f"python -m proofs.{name}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    if project:
        made.add_argument("--project", type=Path, help="a generated project with its environment")
    return made


@contextmanager
def temporary_folder(name: str) -> Iterator[Path]:
    """A folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix=f"{name}-") as made:
        folder = Path(made)
        # Root's embedded PostgreSQL runs as another user, who has to read the folder.
        folder.chmod(0o755)
        yield folder


@contextmanager
def project_of(given: Path | None, name: str) -> Iterator[Path]:
    """The project of --project, or one that is generated and removed afterwards."""
    if given:
        yield given.resolve()
        return
    with temporary_folder(name) as folder:
        yield generate(folder)


def run(*command: str) -> int:
    """Run a command from the template's folder and return its exit status.

    SIGTERM is passed on and the command is waited for, so that it can end what it started.
    """
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:  # The terminal sent it to the command, too.
            continue


def run_in(project: Path, module: str, *arguments: str) -> int:
    """Run a module with the project's Python and return its exit status."""
    python = project / ".venv/bin/python"
    if not python.exists():
        sys.exit(f"{project} has no environment in .venv: run `make .venv/.ready` there.")
    return run(str(python), "-m", module, *arguments)

"""Measure the default project and comparable applications.

python -m benchmarks.run [--short] [--only APPLICATION ...] [--project DIR]
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.contestants import BASE, CONTESTANTS, NAMES
from benchmarks.environments import environment, generate
from proofs.harness.generation import ROOT

RESULTS = ROOT / "benchmarks/results"


def measure(project: Path, module: str, *arguments: str) -> int:
    """Run the measurement in the project's environment, which has a database driver."""
    command = [str(project / ".venv/bin/python"), "-m", module, str(project), *arguments]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    while True:
        try:
            return process.wait()
        # The terminal sent Ctrl-C to the child, too, which ends what it has started.
        except KeyboardInterrupt:
            continue


def with_project(project: Path | None, module: str, *arguments: str) -> int:
    if project:
        return measure(project.resolve(), module, *arguments)
    with tempfile.TemporaryDirectory(prefix="benchmark-project-") as folder:
        Path(folder).chmod(0o755)  # Root's embedded PostgreSQL runs as another user.
        return measure(generate(Path(folder)), module, *arguments)


def lacking() -> str | None:
    """Return a sentence about something that this machine lacks, or None."""
    if not shutil.which("wrk"):
        return "wrk makes the load and was not found: apt-get install wrk."
    if len(os.sched_getaffinity(0)) < 2:
        return "Two cores are needed: one for the server, one for the load."
    return None


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.run", description=__doc__)
    parser.add_argument("--short", action="store_true", help="16 connections, three short rounds")
    parser.add_argument(
        "--only", action="extend", nargs="+", choices=NAMES, default=[], help=f"and {BASE}"
    )
    parser.add_argument("--project", type=Path, help="a generated project with its environment")
    parser.add_argument("--json", type=Path, default=RESULTS / "benchmark.json")
    parser.add_argument("--chart", type=Path, default=RESULTS / "benchmark.svg")
    arguments = parser.parse_args()
    if lack := lacking():
        print(lack, file=sys.stderr)
        return 1
    chosen = [c for c in CONTESTANTS if c.name in {*arguments.only, BASE} or not arguments.only]
    for contestant in chosen:
        if contestant.folder:
            environment(contestant.environment, contestant.requirements())
    files = []
    for path in (arguments.json, arguments.chart):
        path.parent.mkdir(parents=True, exist_ok=True)
        files.append(str(path.resolve()))
    length = "short" if arguments.short else "full"
    names = [contestant.name for contestant in chosen]
    return with_project(arguments.project, "benchmarks.programme", length, *files, *names)


if __name__ == "__main__":
    sys.exit(main())

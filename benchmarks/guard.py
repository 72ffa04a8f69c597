"""Fail where the default project costs more than benchmarks/budget.toml allows.

python -m benchmarks.guard [--without-load] [--project DIR]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.budget import Figures
from benchmarks.contestants import BASE, CONTESTANTS
from benchmarks.environments import environment, generate
from benchmarks.run import lacking, with_project
from proofs.harness.entry import temporary_folder
from proofs.harness.generation import ROOT, generate_only

GENERATIONS = 3


def generation() -> float:
    """Return the seconds to generate a project with its first commit, the best of several runs."""
    seconds = []
    for _ in range(GENERATIONS):
        with tempfile.TemporaryDirectory(prefix="benchmark-generation-") as folder:
            begun = time.perf_counter()
            generate_only(Path(folder))
            seconds.append(time.perf_counter() - begun)
    return min(seconds)


def enqueued(given: Path | None, length: str) -> Figures:
    """Return what an enqueue adds to a write, in a project with background jobs.

    It gets the environment of the given project: an enqueue needs no package of the broker.
    """
    with temporary_folder("benchmark-jobs") as folder:
        project = generate(folder, given and given / ".venv", background_jobs="celery")
        python = str(project / ".venv/bin/python")
        result = subprocess.run(
            [python, "-m", "benchmarks.enqueued", str(project), length],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            check=False,
            stdout=subprocess.PIPE,
            text=True,
        )
    if result.returncode:
        sys.exit("What an enqueue adds to a write was not measured.")
    found: Figures = json.loads(result.stdout)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.guard", description=__doc__)
    parser.add_argument(
        "--without-load",
        action="store_true",
        help="only counted figures, which need neither wrk nor an idle machine",
    )
    parser.add_argument("--project", type=Path, help="a generated project with its environment")
    arguments = parser.parse_args()
    if arguments.without_load:
        found = enqueued(arguments.project, "still")
        return with_project(arguments.project, "benchmarks.guarded", "still", json.dumps(found))
    if lack := lacking():
        print(lack, file=sys.stderr)
        return 1
    [base] = [contestant for contestant in CONTESTANTS if contestant.name == BASE]
    environment(base.environment, base.requirements())
    found = {"seconds": {"generation": generation()}} | enqueued(arguments.project, "load")
    return with_project(arguments.project, "benchmarks.guarded", "load", json.dumps(found))


if __name__ == "__main__":
    sys.exit(main())

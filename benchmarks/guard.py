"""Fail where the default project costs more than benchmarks/budget.toml allows.

python -m benchmarks.guard [--without-load] [--project DIR]
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.contestants import BASE, CONTESTANTS
from benchmarks.environments import environment
from benchmarks.run import lacking, with_project
from proofs.harness.generation import generate_only

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
        return with_project(arguments.project, "benchmarks.guarded", "still")
    if lack := lacking():
        print(lack, file=sys.stderr)
        return 1
    [base] = [contestant for contestant in CONTESTANTS if contestant.name == BASE]
    environment(base.environment, base.requirements())
    return with_project(arguments.project, "benchmarks.guarded", "load", str(generation()))


if __name__ == "__main__":
    sys.exit(main())

"""Fail where the default project costs more than benchmarks/budget.toml allows.

python -m benchmarks.guard [--without-load] [--project DIR]
"""

import argparse
import sys
from pathlib import Path

from benchmarks.contestants import BASE, CONTESTANTS
from benchmarks.environments import environment
from benchmarks.run import lacking, with_project


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.guard", description=__doc__)
    parser.add_argument(
        "--without-load", action="store_true", help="only what needs neither wrk nor quiet"
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
    return with_project(arguments.project, "benchmarks.guarded", "load")


if __name__ == "__main__":
    sys.exit(main())

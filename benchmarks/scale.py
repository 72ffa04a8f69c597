"""Measure the default project with 1, 2 and 4 server processes, directly and behind PgBouncer.

python -m benchmarks.scale [--project DIR]

Server, PostgreSQL and load share all cores, as on one small machine. Without PgBouncer on the
machine, only the direct connections are measured.
"""

import argparse
import sys
from pathlib import Path

from benchmarks.run import lacking, with_project


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="benchmarks.scale",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--project", type=Path, help="a generated project with its environment")
    arguments = parser.parse_args()
    if lack := lacking():
        print(lack, file=sys.stderr)
        return 1
    return with_project(arguments.project, "benchmarks.scaled")


if __name__ == "__main__":
    sys.exit(main())

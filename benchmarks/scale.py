"""Measure the default project with 1, 2 and 4 server processes, and those behind PgBouncer.

python -m benchmarks.scale [--project DIR]

All processes share all cores with PostgreSQL and the load, as on one small machine: what more
processes gain here is what the others leave. Behind PgBouncer where that is installed.
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

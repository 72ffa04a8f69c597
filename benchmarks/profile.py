"""Show which code uses the generated project's CPU time on each workload, without a server.

python -m benchmarks.profile [--seconds N] [--project DIR]
"""

import argparse
import sys
from pathlib import Path

from benchmarks.run import with_project


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.profile", description=__doc__)
    parser.add_argument(
        "--seconds", type=float, default=10, help="CPU seconds for each workload, twice"
    )
    parser.add_argument("--project", type=Path, help="a generated project with its environment")
    arguments = parser.parse_args()
    return with_project(arguments.project, "benchmarks.in_process", str(arguments.seconds))


if __name__ == "__main__":
    sys.exit(main())

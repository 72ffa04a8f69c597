"""Make faults under load on a generated project, and show what its callers see of them.

python -m proofs.chaos [--short] [--only NAME ...] [--times N] [--project DIR]
"""

import argparse
import sys
import tempfile
from pathlib import Path

from proofs.rehearse import generate, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="proofs.chaos", description=__doc__)
    parser.add_argument("--short", action="store_true", help="the fast ones, once each")
    parser.add_argument("--only", action="extend", nargs="+", metavar="NAME", default=[])
    parser.add_argument("--times", type=int, help="how often each is made")
    parser.add_argument("--project", type=Path, help="a generated project with its environment")
    given = parser.parse_args()
    if given.project:
        return show(given.project.resolve(), given)
    with tempfile.TemporaryDirectory(prefix="chaos-project-") as folder:
        Path(folder).chmod(0o755)
        return show(generate(Path(folder)), given)


def show(project: Path, given: argparse.Namespace) -> int:
    python = str(project / ".venv/bin/python")
    times = given.times or (1 if given.short else 5)
    length = "short" if given.short else "full"
    programme = "proofs.chaos.programme"
    return run(python, "-m", programme, str(project), length, str(times), *given.only)


if __name__ == "__main__":
    sys.exit(main())

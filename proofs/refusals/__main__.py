"""For whom and how long many migrations shut a service, on PostgreSQL 15, 17 and 18.

python -m proofs.refusals             all, on all three; prints the table as Markdown
python -m proofs.refusals --resume    what has not been run yet
python -m proofs.refusals --table     only the table of what has been run

15 is Debian's package (`apt-get install postgresql-15`), 17 Docker's image, 18 the wheel's. Beside
each migration runs the same load without it. The safe form of each is run three times.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from proofs.figures import table as shown
from proofs.generation import ROOT
from proofs.refusals.table import figures, runs_in, table
from proofs.rehearse import generate, run

RESULTS = ROOT / ".refusals.jsonl"
VERSIONS = ("18", "15", "17")
ROWS, ROUNDS = 20_000, 3
SHORT = ("add a column", "create an index", "rename a column in use", "add a check")


def measure(project: Path, results: Path, arguments: argparse.Namespace) -> int:
    python = str(project / ".venv/bin/python")
    rows, rounds = (5_000, 1) if arguments.short else (arguments.rows, arguments.rounds)
    names = arguments.only or (SHORT if arguments.short else ())
    command = [python, "-m", "proofs.refusals.programme", str(project), str(results)]
    versions = ["18"] if arguments.short else arguments.versions
    return max([run(*command, one, str(rows), str(rounds), *names) for one in versions], default=0)


def report(results: Path) -> int:
    runs = runs_in(results)
    print(table(runs))
    found = figures(runs)
    print(shown({"Refusals": (sum(one["seconds"] for one in runs), found)}))
    return 1 if any(one.holds is False for one in found) else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="proofs.refusals", description=__doc__)
    parser.add_argument("--short", action="store_true", help=f"{len(SHORT)} of them, once, on 18")
    parser.add_argument("--versions", nargs="+", choices=VERSIONS, default=VERSIONS)
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME")
    parser.add_argument("--rows", type=int, default=ROWS, help="in the table that they change")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of each safe form")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--project", type=Path, help="a generated project with its environment")
    arguments = parser.parse_args()
    if arguments.table:
        return report(RESULTS)
    with tempfile.TemporaryDirectory(prefix="refusals-") as name:
        Path(name).chmod(0o755)
        results = Path(name) / "results" if arguments.short else RESULTS
        if not (arguments.resume or arguments.short):
            results.unlink(missing_ok=True)
        project = arguments.project.resolve() if arguments.project else generate(Path(name))
        return measure(project, results, arguments) or report(results)


if __name__ == "__main__":
    sys.exit(main())

"""Measure how long 61 migrations make clients wait or fail, on PostgreSQL 15, 17 and 18.

python -m proofs.refusals             all on all three; prints a table in Markdown
python -m proofs.refusals --resume    the runs that are still missing
python -m proofs.refusals --table     only the table of the finished runs

PostgreSQL 15 is Debian's package (`apt-get install postgresql-15`), 17 a Docker image, 18 the
embedded one. The same load is measured with and without each migration. Each safe form runs three
times.
"""

import argparse
import sys
from pathlib import Path

from proofs.harness.entry import parser, project_of, run_in, temporary_folder
from proofs.harness.figures import table as shown
from proofs.harness.generation import ROOT
from proofs.refusals.refusals_table import figures, runs_in, table

RESULTS = ROOT / ".refusals.jsonl"
VERSIONS = ("18", "15", "17")
ROWS, ROUNDS = 20_000, 3
SHORT = ("add a column", "create an index", "rename a column in use", "add a check")


def measure(project: Path, results: Path, arguments: argparse.Namespace) -> int:
    rows, rounds = (5_000, 1) if arguments.short else (arguments.rows, arguments.rounds)
    names = arguments.only or (SHORT if arguments.short else ())
    module, where = "proofs.refusals.refusals_run", (str(project), str(results))
    versions = ["18"] if arguments.short else arguments.versions
    return max(
        [run_in(project, module, *where, one, str(rows), str(rounds), *names) for one in versions],
        default=0,
    )


def report(results: Path) -> int:
    runs = runs_in(results)
    print(table(runs))
    found = figures(runs)
    print(shown({"Refusals": (sum(one["seconds"] for one in runs), found)}))
    return 1 if any(one.holds is False for one in found) else 0


def main() -> int:
    options = parser("refusals", __doc__)
    options.add_argument("--short", action="store_true", help=f"{len(SHORT)} of them, once, on 18")
    options.add_argument("--versions", nargs="+", choices=VERSIONS, default=VERSIONS)
    options.add_argument("--only", nargs="+", default=[], metavar="NAME")
    options.add_argument("--rows", type=int, default=ROWS, help="rows in the changed table")
    options.add_argument("--rounds", type=int, default=ROUNDS, help="runs of each safe form")
    options.add_argument("--resume", action="store_true")
    options.add_argument("--table", action="store_true")
    arguments = options.parse_args()
    if arguments.table:
        return report(RESULTS)
    with (
        temporary_folder("refusals") as folder,
        project_of(arguments.project, "refusals-project") as project,
    ):
        results = folder / "results" if arguments.short else RESULTS
        if not (arguments.resume or arguments.short):
            results.unlink(missing_ok=True)
        return measure(project, results, arguments) or report(results)


if __name__ == "__main__":
    sys.exit(main())

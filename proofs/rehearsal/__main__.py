"""Run migrations on a generated project while clients read and write: nothing may be lost.

python -m proofs.rehearsal [--short] [--only ITEM ...] [--project DIR]
"""

import sys
from pathlib import Path

from proofs.harness.entry import parser, project_of, run, run_in

ITEMS = "load kill race reader drain gates backfill cost baseline mutations corpus".split()
OTHERS = {"mutations": "proofs.mutations", "corpus": "proofs.lint_corpus"}


def rehearse(project: Path, *, short: bool, only: list[str]) -> int:
    chosen = [item for item in only if item not in OTHERS]
    codes = []
    if chosen or not only:
        length = "short" if short else "full"
        codes.append(
            run_in(project, "proofs.rehearsal.rehearsal_run", str(project), length, *chosen)
        )
    for item, module in OTHERS.items():
        if item in only or not (only or short):
            codes.append(run(sys.executable, "-m", module, "--project", str(project)))
    return 1 if any(codes) else 0


def main() -> int:
    arguments = parser("rehearsal", __doc__)
    arguments.add_argument("--short", action="store_true", help="fewer rounds of each")
    arguments.add_argument("--only", action="extend", nargs="+", choices=ITEMS, default=[])
    given = arguments.parse_args()
    with project_of(given.project, "rehearsal-project") as project:
        return rehearse(project, short=given.short, only=given.only)


if __name__ == "__main__":
    sys.exit(main())

"""Show that a dump taken under load restores to a database that has every acknowledged write.

python -m proofs.dump [--short] [--project DIR]
"""

import sys

from proofs.harness.entry import parser, project_of, run_in


def main() -> int:
    arguments = parser("dump", __doc__)
    arguments.add_argument("--short", action="store_true", help="each kind of dump once, few rows")
    given = arguments.parse_args()
    times, rows = (1, 1_000) if given.short else (5, 200_000)
    with project_of(given.project, "dump") as project:
        return run_in(project, "proofs.dump.dump_run", str(project), str(times), str(rows))


if __name__ == "__main__":
    sys.exit(main())

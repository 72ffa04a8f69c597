"""Cause faults on a generated project under load, and show what its clients see.

python -m proofs.chaos [--short] [--only NAME ...] [--times N] [--project DIR]
"""

import sys

from proofs.harness.entry import parser, project_of, run_in


def main() -> int:
    arguments = parser("chaos", __doc__)
    arguments.add_argument("--short", action="store_true", help="the fast ones, once each")
    arguments.add_argument("--only", action="extend", nargs="+", metavar="NAME", default=[])
    arguments.add_argument("--times", type=int, help="how often each is made")
    given = arguments.parse_args()
    times = given.times or (1 if given.short else 5)
    length = "short" if given.short else "full"
    with project_of(given.project, "chaos-project") as project:
        return run_in(
            project, "proofs.chaos.chaos_run", str(project), length, str(times), *given.only
        )


if __name__ == "__main__":
    sys.exit(main())

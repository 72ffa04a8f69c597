"""Compare what `db check` says of many revisions with what PostgreSQL does.

python -m proofs.lint_corpus [--project DIR]

Each snippet of `lint_corpus` is run on tables
with rows in them. What it truly needs follows from what is measured, before it is committed:

- full, if a name that running code uses now means something else or nothing, and is not dropped;
- full, if it locks a table that was there against readers, and reads many rows or rewrites;
- full, if it locks two such tables against readers that no foreign key connects: whoever takes
  them in the other order is in a deadlock;
- read-only, if it locks one against writers, and reads many rows or rewrites;
- read-only, if it changes many rows of such a table, or copies them: what others write meanwhile
  is missed, or waits;
- none otherwise. What is locked for an instant is none: the runner gives up after 0.2 s.
"""

import os
import subprocess
import sys

from proofs.harness.entry import parser, project_of
from proofs.harness.generation import ROOT


def main() -> int:
    given = parser("lint_corpus", __doc__).parse_args()
    with project_of(given.project, "lint-corpus") as project:
        command = [str(project / ".venv/bin/python"), "-m", "proofs.lint_corpus.compare"]
        path = os.pathsep.join([str(project), str(ROOT)])
        variables = {**os.environ, "PYTHONPATH": path}
        return subprocess.call(command, cwd=project, env=variables)


if __name__ == "__main__":
    sys.exit(main())

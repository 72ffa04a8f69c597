"""Compare what `db check` says of many revisions with what PostgreSQL does.

python -m proofs.lint_corpus [--project DIR]

Each snippet of `lint_corpus` runs on tables with rows. The window that it truly needs follows from
the locks, scans and rewrites that are measured before its commit:

- full, if running code uses a name that now means something else, or that is gone without a drop;
- full, if it locks an existing table against readers, and scans many rows or rewrites the table;
- full, if it locks two existing tables without a foreign key between them against readers: clients
  that lock them in the other order would get into a deadlock;
- read-only, if it locks an existing table against writers, and scans many rows or rewrites it;
- read-only, if it updates or copies many rows of an existing table: concurrent writes would be
  missed or would wait;
- none otherwise. A short lock needs no window, because the migrator gives up after 0.2 s.
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

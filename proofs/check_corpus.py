"""`db check` against what PostgreSQL does: python proofs/check_corpus.py --project DIR

DIR is a generated project with its environment. Each snippet of `lint_corpus` is run on tables
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

import argparse
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main() -> int:
    parser = argparse.ArgumentParser(prog="check_corpus", description=__doc__.split("\n")[0])
    parser.add_argument("--project", type=Path, required=True, help="a generated project")
    project = parser.parse_args().project.resolve()
    python = project / ".venv" / "bin" / "python"
    if not python.exists():
        sys.exit(f"check_corpus: {project} has no environment in .venv.")
    path = os.pathsep.join([str(project), str(HERE.parent)])
    command = [python, "-m", "proofs.lint_corpus.compare"]
    return subprocess.call(command, cwd=project, env={**os.environ, "PYTHONPATH": path})


if __name__ == "__main__":
    sys.exit(main())

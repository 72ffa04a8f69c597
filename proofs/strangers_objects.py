"""Show that `db migrate` and `db check` leave alone what others made in the database.

python -m proofs.strangers_objects [--short] [--seed NUMBER] [--databases NUMBER] [--project DIR]

proofs/strangers.py says which objects are made in each database, and what is asked afterwards.
"""

import os
import subprocess
import sys
from pathlib import Path
from random import SystemRandom

from proofs.chassis import SUITE
from proofs.harness.entry import parser, project_of
from proofs.harness.generation import ROOT

FULL, SHORT = 200, 4


def show(project: Path, seed: int, databases: int) -> int:
    python = project / ".venv" / "bin" / "python"
    path = os.pathsep.join([str(project), str(ROOT), str(SUITE)])
    command = [str(python), "-m", "proofs.strangers", str(seed), str(databases)]
    return subprocess.call(command, cwd=project, env={**os.environ, "PYTHONPATH": path})


def main() -> int:
    options = parser("strangers_objects", __doc__)
    options.add_argument("--short", action="store_true", help=f"{SHORT} databases, not {FULL}")
    options.add_argument("--seed", type=int, default=SystemRandom().randrange(10**6))
    options.add_argument("--databases", type=int, help="how many")
    arguments = options.parse_args()
    databases = arguments.databases or (SHORT if arguments.short else FULL)
    with project_of(arguments.project, "strangers") as project:
        return show(project, arguments.seed, databases)


if __name__ == "__main__":
    sys.exit(main())

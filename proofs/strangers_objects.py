"""Nothing that others made is dropped or called drift: python -m proofs.strangers_objects

[--short] [--seed NUMBER] [--databases NUMBER] --project DIR, a generated project with its
environment. See proofs/strangers.py for what is made and asked.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from random import SystemRandom

from proofs.chassis import SUITE
from proofs.generation import ROOT
from proofs.rehearse import generate

FULL, SHORT = 200, 4


def show(project: Path, seed: int, databases: int) -> int:
    python = project / ".venv" / "bin" / "python"
    path = os.pathsep.join([str(project), str(ROOT), str(SUITE)])
    command = [str(python), "-m", "proofs.strangers", str(seed), str(databases)]
    return subprocess.call(command, cwd=project, env={**os.environ, "PYTHONPATH": path})


def main() -> int:
    parser = argparse.ArgumentParser(prog="proofs.strangers_objects", description=__doc__)
    parser.add_argument("--short", action="store_true", help=f"{SHORT} databases, not {FULL}")
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(10**6))
    parser.add_argument("--databases", type=int, help="how many")
    parser.add_argument("--project", type=Path, help="a generated project with its environment")
    arguments = parser.parse_args()
    databases = arguments.databases or (SHORT if arguments.short else FULL)
    if arguments.project:
        return show(arguments.project.resolve(), arguments.seed, databases)
    with tempfile.TemporaryDirectory(prefix="strangers-") as folder:
        Path(folder).chmod(0o755)
        return show(generate(Path(folder)), arguments.seed, databases)


if __name__ == "__main__":
    sys.exit(main())

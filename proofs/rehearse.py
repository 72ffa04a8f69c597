"""Generate a project from the working tree, and show on it what the template promises.

python -m proofs.rehearse [--short] [--only ITEM ...] [--project DIR]
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from proofs.generation import ROOT, generate_only

ITEMS = "load kill race reader drain gates backfill cost baseline mutations corpus".split()
OTHERS = {"mutations": "proofs/mutations.py", "corpus": "proofs/check_corpus.py"}


def generate(folder: Path) -> Path:
    """The default project of the working tree, with its environment."""
    project = generate_only(folder)
    environment = {n: v for n, v in os.environ.items() if not n.startswith(("MAKE", "MFLAGS"))}
    subprocess.run(["make", ".venv/.ready"], cwd=project, env=environment, check=True)
    return project


def run(*command: str) -> int:
    """It ends what it has started, so it is told to end and waited for, never killed."""
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:  # It was told, too.
            continue


def rehearse(project: Path, *, short: bool, only: list[str]) -> int:
    python = str(project / ".venv/bin/python")
    chosen = [item for item in only if item not in OTHERS]
    codes = []
    if chosen or not only:
        length = "short" if short else "full"
        codes.append(run(python, "-m", "proofs.programme", str(project), length, *chosen))
    for item, script in OTHERS.items():
        if item in only or not (only or short):
            codes.append(run(sys.executable, script, "--project", str(project)))
    return 1 if any(codes) else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="proofs.rehearse", description=__doc__)
    parser.add_argument("--short", action="store_true", help="fewer rounds of each")
    parser.add_argument("--only", action="extend", nargs="+", choices=ITEMS, default=[])
    parser.add_argument("--project", type=Path, help="a generated project with its environment")
    arguments = parser.parse_args()
    if arguments.project:
        return rehearse(arguments.project.resolve(), short=arguments.short, only=arguments.only)
    with tempfile.TemporaryDirectory(prefix="rehearsal-project-") as folder:
        Path(folder).chmod(0o755)
        return rehearse(generate(Path(folder)), short=arguments.short, only=arguments.only)


if __name__ == "__main__":
    sys.exit(main())

"""Compare what a request costs now with what it cost at an earlier commit.

python -m benchmarks.since REVISION [--rounds 9]

Both projects and bare Flask are under load in turn, in one run: a slow or busy machine changes all
of them, and the ratio of both projects stays. A workload whose CPU grew by more than a tenth ends
the run with 1. The working tree counts as now, with uncommitted changes.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.contestants import BASE, CONTESTANTS
from benchmarks.environments import environment, generate, ready
from benchmarks.run import lacking, measure
from proofs.harness.generation import ROOT, generate_from


def template_at(revision: str, folder: Path) -> Path:
    """Write the template of a commit to a folder. Raise SystemExit where there is no such one."""
    command = ["git", "archive", revision]
    archive = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if archive.returncode:
        sys.exit(f"{revision}: {archive.stderr.decode().strip()}")
    folder.mkdir(parents=True)
    subprocess.run(["tar", "--extract", "--directory", folder], input=archive.stdout, check=True)
    return folder


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.since", description=__doc__)
    parser.add_argument("revision", help="a commit of the template, such as v2.0.0 or HEAD~20")
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    if arguments.rounds < 2:
        parser.error("--rounds: two or more show a spread")
    if lack := lacking():
        print(lack, file=sys.stderr)
        return 1
    [base] = [contestant for contestant in CONTESTANTS if contestant.name == BASE]
    environment(base.environment, base.requirements())
    with tempfile.TemporaryDirectory(prefix="benchmark-since-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # Root's embedded PostgreSQL runs as another user.
        template = template_at(arguments.revision, folder / "before/template")
        before = ready(generate_from(template, folder / "before"), name="before")
        now = generate(folder / "now")
        return measure(now, "benchmarks.compared", str(before), str(arguments.rounds))


if __name__ == "__main__":
    sys.exit(main())

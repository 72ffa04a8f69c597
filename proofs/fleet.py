"""Bring one fix of the chassis to ten or fifty edited projects, in one loop.

python -m proofs.fleet [--short] [--project DIR]

Ten teams edited their projects in different places (proofs.teams). The proof fails where an update
has a conflict, or changes a file outside of chassis/ other than .cruft.json. `--short` updates ten
projects only. The environment of `--project` is reused.
"""

import shutil
import statistics
import sys
import time
from pathlib import Path

from proofs import teams
from proofs.harness.entry import parser, project_of, temporary_folder
from proofs.updates import FOLDER, Proof, conflicts, git, run

PROJECTS = 50
RECORD = ".cruft.json"
FIXED = ("chassis/core/paging.py", "chassis/http/output/pages.py", "chassis/postgres/engines.py")


def fix(proof: Proof) -> None:
    """Change three modules and a SQL file of the chassis, and add a module."""
    for name in FIXED:
        teams.append(proof.template / FOLDER, name, "\n\nFIXED = True\n")
    teams.append(proof.template / FOLDER, "chassis/core/fixed.py", "FIXED = True\n")
    teams.append(proof.template / FOLDER, "chassis/maintenance/ops.sql", "-- Fixed.\n")
    proof.commit("Fix the chassis")


def edited(proof: Proof) -> list[Path]:
    """Generate a project for each kind of edit, from the template before the fix."""
    projects = []
    for kind, one in teams.OF_THIS_VERSION.items():
        project = proof.generate(f"ten {kind}", "now", {})
        teams.edit(project, {kind: one})
        projects.append(project)
    return projects


def update(project: Path) -> float:
    """Update a project; return the seconds.

    Raise AssertionError where more than the fix changed.
    """
    began = time.monotonic()
    output = run(project, ".venv/bin/python", "manage.py", "template", "update", codes={0, 3})
    seconds = time.monotonic() - began
    assert not conflicts(project), output
    changed = set(git(project, "diff", "--cached", "--name-only", "HEAD").splitlines())
    assert set(FIXED) < changed, output
    outside = [name for name in changed - {RECORD} if not name.startswith("chassis/")]
    assert not outside, outside
    teams.commit(project, "Update from the template")
    return seconds


def prove(folder: Path, venv: Path, *, short: bool) -> None:
    proof = Proof(folder, venv)
    ten = edited(proof)
    copies = [
        shutil.copytree(project, folder / f"fleet/{number}", symlinks=True)
        for number, project in enumerate([] if short else ten * (PROJECTS // len(ten)))
    ]
    fix(proof)
    for projects in filter(None, (ten, copies)):
        seconds = [update(project) for project in projects]
        print(
            f"{len(projects)} edited projects, one fix: 0 conflicts, 0 files outside of chassis/, "
            f"{statistics.median(seconds):.1f} s each ({min(seconds):.1f} to {max(seconds):.1f})",
            flush=True,
        )


def main() -> int:
    arguments = parser("fleet", __doc__)
    arguments.add_argument("--short", action="store_true", help="ten projects only")
    given = arguments.parse_args()
    with (
        temporary_folder("fleet") as folder,
        project_of(given.project, "fleet-environment") as project,
    ):
        prove(folder, (project / ".venv").resolve(), short=given.short)
    return 0


if __name__ == "__main__":
    sys.exit(main())

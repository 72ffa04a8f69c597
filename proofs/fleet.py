"""One change of the chassis, brought to ten edited projects, or to fifty, in one loop.

python -m proofs.fleet [--short] [--project DIR]

Each of ten teams edited its project in another place (proofs.teams). It fails where an update has a
conflict, or changes a file outside of chassis/ but for the record. `--short` stops after the ten;
`--project` is a generated project whose environment is taken.
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
    """A change of three modules, a new one, and one of SQL."""
    for name in FIXED:
        teams.append(proof.template / FOLDER, name, "\n\nFIXED = True\n")
    teams.append(proof.template / FOLDER, "chassis/core/fixed.py", "FIXED = True\n")
    teams.append(proof.template / FOLDER, "chassis/maintenance/ops.sql", "-- Fixed.\n")
    proof.commit("Fix the chassis")


def edited(proof: Proof) -> list[Path]:
    """A project for each kind of edit, at the state before the fix."""
    projects = []
    for kind, one in teams.OF_THIS_VERSION.items():
        project = proof.generate(f"ten {kind}", "now", {})
        teams.edit(project, {kind: one})
        projects.append(project)
    return projects


def update(project: Path) -> float:
    """The seconds that it took. Raise AssertionError where more changed than was to change."""
    began = time.monotonic()
    output = run(project, ".venv/bin/python", "manage.py", "template", "update", codes={0, 3})
    seconds = time.monotonic() - began
    assert not conflicts(output), output
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
        for number in range(0 if short else PROJECTS // len(ten))
        for project in ten
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

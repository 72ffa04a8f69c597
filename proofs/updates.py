"""Update projects of each earlier version: count conflicts and seconds, run the tests.

python -m proofs.updates [--short] [--project DIR] [ROW ...]

A row is an earlier version of the template and a team's edits. A row fails where the update has
more or fewer conflicts than expected, changes a revision, or leaves an import of a missing name, or
where the project's `make check` or `make test` fails. `--short` takes fewer rows, and runs no
tests. The environment of `--project` is reused.
"""

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from proofs import order_desk, teams
from proofs.harness.entry import parser, project_of, temporary_folder
from proofs.harness.generation import ROOT, copy_template, environment
from updates import unresolved

FOLDER = "{{cookiecutter.project_slug}}"
# Projects of 1.0.0 have no `template update`; later ones run their own.
STATES = {
    "1.0.0": "a159cf753f43e142e06cbd152e08eeb08394ffb2",
    "before 2.0.0": "eef9934ad05d7310742ab72ca75d38b7f9b448bc",
    "2.0.0": "aabe32fa7dd087f70e9c39dcd1589cc838e09858",
}
ANSWERS = {
    "other answers": {
        "project_name": 'It\'s "quoted"',
        "project_slug": "billing",
        "license": "Apache-2.0",
        "example_resource": "no",
        "pipelines": "gitlab",
        "kubernetes": "yes",
    },
    "order desk": {"example_resource": "no"},
}
Codes = frozenset[int] | set[int]


@dataclass(frozen=True)
class Row:
    state: str
    kind: str
    conflicts: int = 0

    @property
    def name(self) -> str:
        return f"{self.state}, {self.kind}"


ROWS = (
    *(Row("1.0.0", kind) for kind in ("clean", "other answers", "resource", "own files")),
    Row("1.0.0", "patched chassis", 1),
    *(Row("before 2.0.0", kind) for kind in ("clean", "resource", "own files", "step by step")),
    *(Row("2.0.0", kind) for kind in ("clean", "other answers", "resource", "own files")),
    Row("2.0.0", "order desk"),
    Row("2.0.0", "patched chassis", 1),
)
SHORT = ("1.0.0, own files", "2.0.0, own files", "2.0.0, patched chassis")


class Proof:
    """A clone of the template that contains the working tree, and projects of its versions."""

    def __init__(self, folder: Path, venv: Path, history: Path = ROOT) -> None:
        self.folder = folder
        self.venv = venv
        self.template = folder / "template"
        git(folder, "clone", "--quiet", str(history), str(self.template))
        git(self.template, "checkout", "--quiet", "-B", "now")
        for path in git(self.template, "ls-files").splitlines():
            (self.template / path).unlink()
        copy_template(self.template)
        self.commit("What is in the working tree")
        git(self.template, "remote", "set-url", "origin", str(self.template))

    def commit(self, message: str) -> None:
        git(self.template, "add", "--all", ".")
        git(self.template, "commit", "--quiet", "--allow-empty", "--message", message)

    def place(self, name: str) -> Path:
        return self.folder / name.replace(" ", "-").replace(",", "")

    def generate(self, name: str, state: str, answers: dict[str, str]) -> Path:
        place = self.place(name)
        git(self.template, "worktree", "add", "--quiet", "--detach", f"{place}-state", state)
        settings = self.folder / "cookiecutter.yaml"
        kept = f"cookiecutters_dir: {self.folder}/cloned\nreplay_dir: {self.folder}/replay\n"
        settings.write_text(kept)
        command = [
            sys.executable,
            "-m",
            "cookiecutter",
            "--no-input",
            "--config-file",
            str(settings),
        ]
        chosen = [f"{key}={value}" for key, value in answers.items()]
        run(self.folder, *command, "--output-dir", place, f"{place}-state", *chosen)
        [project] = place.iterdir()
        (project / ".venv").symlink_to(self.venv)
        (project / ".git/info/exclude").write_text(".venv\n")
        return project

    def update(self, project: Path, state: str, target: str = "now") -> str:
        """Update as the changelog says, and return the output.

        That is updates.move for 1.0.0, else the project's own command. The command of the states
        between that and 2.0.0 runs no steps, so a person runs them.
        """
        if state == "1.0.0":
            command = [sys.executable, "-m", "updates.move", str(project)]
            return run(self.template, *command, codes={0, 3})
        command = [".venv/bin/python", "manage.py", "template", "update", "--to", target]
        output = run(project, *command, codes={0, 3})
        run(self.template, sys.executable, "-m", "updates.steps", str(project))
        return output


def run(cwd: Path, *command: str | Path, codes: Codes = frozenset([0])) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    variables = environment("GIT_")
    who = {
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "A team"), ("EMAIL", "team@example.org"))
    }
    result = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env=variables | who | {"PATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if result.returncode not in codes:
        raise AssertionError(f"{' '.join(map(str, command))}\n{result.stdout}")
    return result.stdout


def git(cwd: Path, *arguments: str) -> str:
    return run(cwd, "git", *arguments)


def patch(proof: Proof, project: Path, state: str) -> None:
    """Patch a line of the chassis that the template changed since, and one that it did not."""
    if state == "1.0.0":
        teams.replace(project, "src/api/turns.py", "PATIENCE = ", "PATIENCE = 2 * ")
        teams.append(project, "src/services/paging.py", "\n\nOURS = 1\n")
        return
    old, new = STATES[state], "now"
    folder = f"{FOLDER}/chassis/"
    names = git(proof.template, "diff", "--name-only", "--diff-filter=M", old, new, "--", folder)
    for name in filter(re.compile(r".*\.py$").match, names.splitlines()):
        diff = git(proof.template, "diff", "--unified=0", old, new, "--", name).splitlines()
        path = project / name.removeprefix(f"{FOLDER}/")
        text = path.read_text("utf-8")
        for line in (one[1:] for one in diff if re.match(r"-[\w ]+ = [\w\"., ]+$", one)):
            if text.count(f"{line}\n") == 1:
                path.write_text(text.replace(f"{line}\n", f"{line}  # Ours.\n"), "utf-8")
                teams.append(project, "chassis/core/limits.py", "\nOURS = 1\n")
                return
    raise AssertionError("The template changed no line of its chassis that a team could have.")


def edits(proof: Proof, row: Row) -> dict[str, teams.Edit]:
    every = teams.OF_VERSION_1 if row.state == "1.0.0" else teams.OF_THIS_VERSION
    desk = Path(f"{proof.place(row.name)}-state/examples/order_desk")
    match row.kind:
        case "resource" if row.state == "before 2.0.0":
            return {"resource": teams.add_notes}
        case "own files" if row.state == "before 2.0.0":
            return {name: every[name] for name in ("operation", "texts")}
        case "own files":
            return {name: one for name, one in every.items() if name != "resource"}
        case "step by step":
            return {"texts": every["texts"]}
        case "patched chassis":
            return {"patch": lambda project: patch(proof, project, row.state)}
        case "order desk":
            return {"desk": lambda project: order_desk.build(project, desk)}
    return {row.kind: every[row.kind]} if row.kind in every else {}


def conflicts(project: Path) -> list[str]:
    """Return the paths that are left for a person to merge."""
    return git(project, "diff", "--name-only", "--diff-filter=U").splitlines()


def prove(proof: Proof, row: Row, *, short: bool) -> str:
    """Update the row's project; return a line for the report.

    Raise AssertionError where it fails.
    """
    answers = ANSWERS.get(row.kind, {})
    project = proof.generate(row.name, STATES[row.state], answers)
    if some := edits(proof, row):
        teams.edit(project, some)
    began = time.monotonic()
    if row.kind == "step by step":
        proof.update(project, row.state, STATES["2.0.0"])
        teams.commit(project, "Update")
    output = proof.update(project, row.state)
    seconds = time.monotonic() - began
    found = conflicts(project)
    assert len(found) == row.conflicts, output
    for path in found:
        git(project, "checkout", "--theirs", "--", path)
        git(project, "add", "--", path)
    revisions = ("--diff-filter=M", "HEAD", "--", "migrations/versions")
    changed = git(project, "diff", "--name-only", *revisions)
    assert not changed, f"The update changed revisions that were applied: {changed}"
    left = list(unresolved.names(project))
    assert not left, left
    shown = f"{row.name:34} {len(found)} conflicts  {seconds:4.1f} s"
    return shown if short else f"{shown}  {suite(project)}"


def suite(project: Path) -> str:
    """Run the commands that write generated files, then the project's checks and tests.

    An update names them where both sides changed such a file; those of earlier states do not.
    """
    # Else make would reinstall the environment, which is older than the updated lists.
    for name in (".run", ".ready"):
        (project / ".venv" / name).touch()
    run(project, "make", "format", "diagrams")
    run(project, ".venv/bin/python", "manage.py", "openapi", "write")
    run(project, "make", "check")
    count = re.findall(r"^Ran (\d+) tests", run(project, "make", "test"), re.MULTILINE)
    return f"{count[-1]} tests"


def main() -> int:
    arguments = parser("updates", __doc__)
    arguments.add_argument("--short", action="store_true", help="fewer rows, no suites")
    arguments.add_argument("rows", nargs="*", metavar="ROW", help="'1.0.0, clean'; all without")
    given = arguments.parse_args()
    chosen = [row for row in ROWS if not given.rows or row.name in given.rows]
    if given.short and not given.rows:
        chosen = [row for row in ROWS if row.name in SHORT]
    failed = 0
    with (
        temporary_folder("updates") as folder,
        project_of(given.project, "updates-environment") as project,
    ):
        proof = Proof(folder, (project / ".venv").resolve())
        for row in chosen:
            try:
                print(prove(proof, row, short=given.short), flush=True)
            except AssertionError as error:
                failed += 1
                print(f"{row.name:34} FAILED\n{error}", flush=True)
    print(f"{len(chosen) - failed} of {len(chosen)} rows hold.")
    return 1 if failed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())

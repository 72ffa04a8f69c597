"""Generate random models, check the project, and let `destroy` take everything back.

python -m proofs.generator                                300 models checked, 20 migrated
python -m proofs.generator --rendered 10 --migrated 1 --seed 7 --project DIR
python -m proofs.generator --progress FILE --minutes 9    continues the run of FILE

DIR is a generated project with an environment, a clean work tree and a migrated database. It is
left unchanged; the first difference ends the run and stays in the project. FILE has the seed and
the number of models that are done. Seed and number determine a model.
"""

import argparse
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from proofs.harness.entry import parser, project_of
from proofs.random_models import Model

BATCH = 30  # Resources that one run of the checks covers.


class Project:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.python = str(root / ".venv/bin/python")

    def run(self, *command: str) -> str:
        """Run a command and return its output.

        Raise SystemExit, with the output, where it fails.
        """
        result = subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=False)
        if result.returncode:
            raise SystemExit(f"{' '.join(command)}\n{result.stdout[-4000:]}{result.stderr[-4000:]}")
        return result.stdout

    def manage(self, *arguments: str) -> str:
        return self.run(self.python, "manage.py", *arguments)

    def generate(self, model: Model, *options: str) -> None:
        file = self.root / ".git/model.toml"
        file.write_text(model.text(), "utf-8")
        self.manage("generate", "resources", ".git/model.toml", *options)

    def destroy(self, model: Model) -> None:
        """Destroy the resources, those that refer to others first."""
        self.manage("destroy", "resource", *reversed(model.names))

    def check(self) -> None:
        self.run(self.python, "-m", "ruff", "check", ".")
        self.run(self.python, "-m", "ruff", "format", "--check", ".")
        self.run(self.python, "-m", "mypy")
        self.run(str(self.root / ".venv/bin/lint-imports"))

    def require_clean(self, what: str) -> None:
        if left := self.run("git", "status", "--short"):
            raise SystemExit(f"After {what}:\n{left}{self.run('git', 'diff')[:4000]}")


@dataclass
class Progress:
    """The seed, and how many of its models are done."""

    seed: int
    rendered: int = 0
    migrated: int = 0

    def dice(self, part: str, number: int) -> random.Random:
        return random.Random(f"{self.seed} {part} {number}")


def render(project: Project, dice: random.Random, first: int, size: int) -> None:
    model = Model(dice, first, size)
    project.generate(model, "--no-migration")
    project.check()
    project.destroy(model)
    project.require_clean(f"{size} resources were taken back")


def migrate(project: Project, dice: random.Random, number: int) -> None:
    model = Model(dice, 1000 + number, dice.randint(1, 4))
    project.generate(model)
    for arguments in (("upgrade",), ("downgrade", "--yes"), ("upgrade",)):
        project.manage("db", *arguments)
    project.run(project.python, "-m", "unittest", "discover", "-s", "tests")
    project.manage("db", "downgrade", "--yes")
    project.destroy(model)
    project.require_clean("a migrated model was taken back")


def parts(project: Project, done: Progress, options: argparse.Namespace) -> Iterator[str]:
    """Run the steps, and yield a sentence for each. Migrated models come first: they find more."""
    while done.migrated < options.migrated:
        migrate(project, done.dice("migrated", done.migrated), done.migrated)
        done.migrated += 1
        yield f"{done.migrated} of {options.migrated} migrated up, down and up, tested and undone"
    while done.rendered < options.rendered:
        size = min(BATCH, options.rendered - done.rendered)
        render(project, done.dice("rendered", done.rendered), done.rendered, size)
        done.rendered += size
        yield f"{done.rendered} of {options.rendered} rendered, linted, typed and undone"


def prove(project: Project, done: Progress, options: argparse.Namespace) -> bool:
    """Run until the time is over; return whether all models are done."""
    end = time.monotonic() + options.minutes * 60
    project.require_clean("nothing was done yet")
    for sentence in parts(project, done, options):
        print(sentence, flush=True)
        if options.progress:
            options.progress.write_text(json.dumps(asdict(done)))
        if time.monotonic() > end:
            break
    return bool(done.migrated >= options.migrated and done.rendered >= options.rendered)


def main() -> int:
    arguments = parser("generator", __doc__)
    arguments.add_argument("--rendered", type=int, default=300)
    arguments.add_argument("--migrated", type=int, default=20)
    arguments.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    arguments.add_argument("--progress", type=Path)
    arguments.add_argument("--minutes", type=float, default=float("inf"))
    options = arguments.parse_args()
    done = Progress(options.seed)
    if options.progress and options.progress.exists():
        done = Progress(**json.loads(options.progress.read_text()))
    print(f"seed {done.seed}", flush=True)
    with migrated_project(options.project) as project:
        is_whole = prove(project, done, options)
    print("all valid, all undone" if is_whole else "the time is over: not all is shown yet")
    return 0 if is_whole else 1


@contextmanager
def migrated_project(given: Path | None) -> Iterator[Project]:
    """The project of --project, or a new one whose database is migrated."""
    with project_of(given, "generator") as root:
        project = Project(root)
        if not given:
            project.manage("db", "upgrade")
        yield project
        if not given:
            project.manage("db", "stop")


if __name__ == "__main__":
    sys.exit(main())

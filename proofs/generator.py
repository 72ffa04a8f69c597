"""Random models: `generate` writes them, the project's checks pass, `destroy` takes all back.

python -m proofs.generator                                300 rendered and undone, 20 migrated
python -m proofs.generator --rendered 10 --migrated 1 --seed 7 --project DIR

DIR is a generated project with its environment, committed, its database migrated; a new one without
it. It is left as it was found; the first difference ends the run, and the project then shows it.
"""

import argparse
import json
import random
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from proofs.rehearse import generate

BATCH = 30  # Resources that are linted and typed in one run.


class Project:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.python = str(root / ".venv/bin/python")

    def run(self, *command: str) -> str:
        """Raise SystemExit, with what it printed, if it fails."""
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
        """Those that refer to others first."""
        self.manage("destroy", "resource", *reversed(model.names))

    def check(self) -> None:
        self.run(self.python, "-m", "ruff", "check", ".")
        self.run(self.python, "-m", "ruff", "format", "--check", ".")
        self.run(self.python, "-m", "mypy")
        self.run(str(self.root / ".venv/bin/lint-imports"))

    def require_clean(self, what: str) -> None:
        if left := self.run("git", "status", "--short"):
            raise SystemExit(f"After {what}:\n{left}{self.run('git', 'diff')[:4000]}")


def render(project: Project, dice: random.Random, number: int) -> None:
    done = 0
    while done < number:
        size = min(BATCH, number - done)
        model = Model(dice, done, size)
        project.generate(model, "--no-migration")
        project.check()
        project.destroy(model)
        project.require_clean(f"{size} resources were taken back")
        done += size
        print(f"{done} of {number} rendered, linted, typed and undone", flush=True)


def migrate(project: Project, dice: random.Random, number: int) -> None:
    for index in range(number):
        model = Model(dice, 1000 + index, dice.randint(1, 4))
        project.generate(model)
        for arguments in (("upgrade",), ("downgrade", "--yes"), ("upgrade",)):
            project.manage("db", *arguments)
        project.run(project.python, "-m", "unittest", "discover", "-s", "tests")
        project.manage("db", "downgrade", "--yes")
        project.destroy(model)
        project.require_clean("a migrated model was taken back")
        print(f"{index + 1} of {number} migrated up, down and up, tested and undone", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", type=Path)
    parser.add_argument("--rendered", type=int, default=300)
    parser.add_argument("--migrated", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    options = parser.parse_args()
    if options.project:
        prove(Project(options.project.resolve()), options)
        return
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # Root's embedded PostgreSQL is another user's.
        project = Project(generate(Path(folder)))
        project.manage("db", "upgrade")
        prove(project, options)
        project.manage("db", "stop")


def prove(project: Project, options: argparse.Namespace) -> None:
    print(f"seed {options.seed}", flush=True)
    dice, start = random.Random(options.seed), time.monotonic()
    project.require_clean("nothing was done yet")
    render(project, dice, options.rendered)
    migrate(project, dice, options.migrated)
    print(f"all valid, all undone, in {time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()

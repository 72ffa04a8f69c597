"""Introduce one defect at a time into a generated project: the chassis's tests must fail.

python -m proofs.mutations [--project DIR] [--only WORD]
"""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from proofs.chassis import environment
from proofs.harness.entry import parser, project_of, temporary_folder
from proofs.harness.project_copy import copy_project

LIST = Path(__file__).with_suffix(".txt")
# The program, and the PostgreSQL that it started, end when its standard input closes.
SERVER = """
import sys
import src
from chassis.development.testing.postgres_server import server
print(server().url.render_as_string(hide_password=False), flush=True)
sys.stdin.read()
"""
SECONDS = 60  # For a module; one that takes longer counts as failed.


@dataclass(slots=True)
class Mutation:
    tests: str
    what: str
    path: str
    old: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)

    def applied(self, text: str) -> str:
        old, new = "\n".join(self.old), "\n".join(self.new)
        if text.count(old) != 1:
            found = f"{text.count(old)} times in {self.path}"
            sys.exit(f"{self.what}: this has to be there once, and is {found}:\n{old}")
        return text.replace(old, new)


def mutations() -> Iterator[Mutation]:
    tests = ""
    current: Mutation | None = None
    for line in LIST.read_text("utf-8").splitlines():
        if current and line.startswith(("-", "+")):
            (current.old if line[0] == "-" else current.new).append(line[2:])
        elif line.startswith("["):
            tests = line.strip("[]")
        elif ": " in line:
            if current:
                yield current
            what, path = line.split(": ")
            current = Mutation(tests, what, path)
    if current:
        yield current


class Project:
    """A copy of the project, with the original's environment."""

    def __init__(self, original: Path, folder: Path) -> None:
        self.folder = folder / "project"
        copy_project(original, self.folder)
        self.python = str(self.folder / ".venv/bin/python")
        # Without bytecode: Python would take two versions of one size and second for the same file.
        self.environment = environment()

    @contextmanager
    def server(self) -> Iterator[None]:
        """Run one PostgreSQL for all tests."""
        with subprocess.Popen(
            [self.python, "-c", SERVER],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdin
            assert process.stdout
            url = process.stdout.readline().strip()
            if not url:
                sys.exit("There is no PostgreSQL for the tests.")
            self.environment["TEST_DATABASE_URL"] = url
            try:
                yield
            finally:
                process.stdin.close()

    def failure(self, *tests: str) -> str | None:
        """Run tests; return the name of the first that fails or does not end, None if all pass."""
        command = [self.python, "-m", "unittest", "--failfast", *tests]
        try:
            result = subprocess.run(
                command,
                cwd=self.folder,
                env=self.environment,
                capture_output=True,
                text=True,
                timeout=SECONDS * len(tests),
            )
        except subprocess.TimeoutExpired:
            return f"{', '.join(tests)}: no end within {SECONDS * len(tests)} s"
        if result.returncode == 0:
            return None
        found = re.search(r"^(?:FAIL|ERROR): (\w+) \(([\w.]+)", result.stderr, re.MULTILINE)
        if not found:
            return result.stderr.strip().rpartition("\n")[2]
        return found[1] if found[1].startswith("test_") else f"{found[1]} of {found[2]}"

    def survivor(self, mutation: Mutation) -> bool:
        file = self.folder / mutation.path
        text = file.read_text("utf-8")
        file.write_text(mutation.applied(text), "utf-8")
        begun = time.monotonic()
        try:
            noticed = self.failure(mutation.tests)
        finally:
            file.write_text(text, "utf-8")
        seconds = time.monotonic() - begun
        print(f"{mutation.what:<40} {noticed or 'SURVIVED':<80} {seconds:4.1f} s", flush=True)
        return noticed is None


def mutate(original: Path, only: str) -> int:
    chosen = [mutation for mutation in mutations() if only in mutation.what]
    with temporary_folder("mutations") as folder:
        project = Project(original, folder)
        for mutation in chosen:  # One that no longer fits the code ends the run at once.
            mutation.applied((project.folder / mutation.path).read_text("utf-8"))
        with project.server():
            if failed := project.failure(*sorted({mutation.tests for mutation in chosen})):
                sys.exit(f"Tests fail without a mutation, too: {failed}")
            survivors = sum(project.survivor(mutation) for mutation in chosen)
    print(f"{len(chosen) - survivors} of {len(chosen)} noticed")
    return 1 if survivors or not chosen else 0


def main() -> int:
    arguments = parser("mutations", __doc__)
    arguments.add_argument("--only", default="", help="mutations whose description has this word")
    given = arguments.parse_args()
    # So that `finally` blocks end started processes.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with project_of(given.project, "mutations-project") as project:
        return mutate(project, given.only)


if __name__ == "__main__":
    sys.exit(main())

"""Counts the lines of the order desk that `generate` writes and that a person writes.

python -m benchmarks.order_desk PROJECT

PROJECT is a generated project without the example, with its environment, committed. It is not
changed: a clone gets the resources of benchmarks/order_desk.toml, then examples/order_desk over
them. Lines of the example that differ from generated ones count as a person's.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
MODEL = ROOT / "benchmarks/order_desk.toml"
DESK = ROOT / "examples/order_desk"
GIT = ("git", "-c", "user.name=A", "-c", "user.email=a@example.org")


def lines(project: Path, *since: str) -> int:
    """Count the lines that were added to src and tests."""
    command = [*GIT, "diff", "--numstat", *since, "--", "src", "tests"]
    result = subprocess.run(command, cwd=project, check=True, capture_output=True, text=True)
    return sum(int(line.split()[0]) for line in result.stdout.splitlines())


def commit(project: Path) -> None:
    for command in (("add", "--all"), ("commit", "--quiet", "--message", "x")):
        subprocess.run([*GIT, *command], cwd=project, check=True)


def measure(project: Path, folder: Path) -> tuple[int, int]:
    clone = folder / "desk"
    subprocess.run([*GIT, "clone", "--quiet", project, clone], check=True)
    (clone / ".venv").symlink_to((project / ".venv").resolve())
    shutil.copy(project / ".env", clone)
    command = [".venv/bin/python", "manage.py", "generate", "resources", str(MODEL)]
    subprocess.run([*command, "--no-migration"], cwd=clone, check=True, capture_output=True)
    commit(clone)
    generated = lines(clone, "HEAD^")
    shutil.copytree(DESK / "files", clone, dirs_exist_ok=True)
    commit(clone)
    return generated, lines(clone, "HEAD^") + patched(clone)


def patched(clone: Path) -> int:
    """Count the lines of the example's patch of the container that were not generated."""
    there = (clone / "src/dependency_container.py").read_text("utf-8").splitlines()
    patch = (DESK / "edits.patch").read_text("utf-8").splitlines()
    added = [line[1:] for line in patch if line.startswith("+") and not line.startswith("+++")]
    return sum(line not in there for line in added)


def main() -> None:
    os.environ["GIT_CONFIG_GLOBAL"] = os.devnull
    with TemporaryDirectory() as folder:
        generated, by_hand = measure(Path(sys.argv[1]).resolve(), Path(folder))
    print(f"generated {generated}, by hand {by_hand} lines added, tests included")


if __name__ == "__main__":
    main()

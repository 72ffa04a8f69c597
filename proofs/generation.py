"""The default project, out of the working tree."""

import shutil
import subprocess
from pathlib import Path

from cookiecutter.main import cookiecutter

ROOT = Path(__file__).resolve().parent.parent


def copy_template(folder: Path) -> Path:
    """What is in the working tree, committed or not."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
    return folder


def generate_only(folder: Path) -> Path:
    """Without its environment."""
    template = copy_template(folder / "template")
    settings = folder / "cookiecutter.yaml"
    settings.write_text(f"cookiecutters_dir: {folder}/templates\nreplay_dir: {folder}/replay\n")
    project: str = cookiecutter(
        str(template), no_input=True, output_dir=str(folder), config_file=str(settings)
    )
    return Path(project)

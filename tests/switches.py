"""What the tests of each switch ask: nothing without it, one set of versions, a project with it."""

import re
import subprocess
import sys
from pathlib import Path

from conftest import PROJECT_FOLDER, ROOT, bake_into, command, environment, make, project_files


def project_with(
    project: Path, template: Path, folder: Path, requirements: str, **answers: object
) -> Path:
    """Generated into the folder, with the environment of `project`, to which these are added."""
    make(project, "format")  # Sets it up, if that has not happened.
    folder.chmod(0o755)  # Root's embedded PostgreSQL is another user's.
    made = bake_into(folder, template, **answers)
    (made / ".venv").symlink_to(project / ".venv")
    added = command(f"scripts/install.sh .venv requirements/{requirements}", cwd=made)
    assert added.returncode == 0, added.stderr
    (made / ".venv/.ready").touch()
    return made


def mentions(project: Path, words: re.Pattern[bytes]) -> list[Path]:
    """The files that have one of the words in their text or in their name."""
    return [
        path
        for path in project_files(project)
        if words.search((project / path).read_bytes()) or words.search(str(path).encode())
    ]


def versions(template: Path, name: str) -> dict[str, str]:
    """Each package that the file of requirements pins."""
    text = (template / PROJECT_FOLDER / "requirements" / name).read_text()
    return dict(re.findall(r"^([\w.-]+)==([^ ;\\]+)", text, re.MULTILINE))


def common(one: dict[str, str], other: dict[str, str]) -> dict[str, str]:
    return {name: version for name, version in one.items() if name in other}


def passed_by_the_chassis(project: Path, *modules: str) -> str:
    """How many there are; they pass."""
    result = subprocess.run(
        [sys.executable, "-m", "proofs.chassis", "--project", str(project), *modules],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout
    [number] = re.findall(r"^Ran (\d+) tests", result.stdout, re.MULTILINE)
    return str(number)

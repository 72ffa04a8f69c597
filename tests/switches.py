"""Checks for each switch: no trace without it, one set of versions, a working project with it."""

import re
from pathlib import Path

from conftest import PROJECT_FOLDER, bake_into, command, project_files, prove


def project_with(
    installed: Path, template: Path, folder: Path, requirements: str, **answers: object
) -> Path:
    """Generate a project with `installed`'s environment, to which the requirements are added."""
    folder.chmod(0o755)  # Root's embedded PostgreSQL runs as another user.
    made = bake_into(folder, template, **answers)
    (made / ".venv").symlink_to(installed / ".venv")
    added = command(f"scripts/install.sh .venv requirements/{requirements}", cwd=made)
    assert added.returncode == 0, added.stderr
    (made / ".venv/.ready").touch()
    return made


def mentions(project: Path, words: re.Pattern[bytes]) -> list[Path]:
    """List the files with one of the words in their text or name."""
    return [
        path
        for path in project_files(project)
        if words.search((project / path).read_bytes()) or words.search(str(path).encode())
    ]


def versions(template: Path, name: str) -> dict[str, str]:
    """Return the version of each package in a requirements file."""
    text = (template / PROJECT_FOLDER / "requirements" / name).read_text()
    return dict(re.findall(r"^([\w.-]+)==([^ ;\\]+)", text, re.MULTILINE))


def common(one: dict[str, str], other: dict[str, str]) -> dict[str, str]:
    return {name: version for name, version in one.items() if name in other}


def passed_by_the_chassis(project: Path, *modules: str) -> str:
    """Run the chassis's tests, which must pass; return their number."""
    result = prove("proofs.chassis", project, *modules)
    assert result.returncode == 0, result.stdout
    [number] = re.findall(r"^Ran (\d+) tests", result.stdout, re.MULTILINE)
    return str(number)

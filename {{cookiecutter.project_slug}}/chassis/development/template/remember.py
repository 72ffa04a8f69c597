"""Write down what generated this project: repository and commit, and each file of the chassis.

    python chassis/development/template/remember.py REPOSITORY

The template's hook runs it once, with the Python that cookiecutter has: standard library only.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

RECORD = Path(".cruft.json")
CHASSIS = "chassis"
MANIFEST = f"{CHASSIS}/manifest.json"


def output(repository: str, *command: str) -> str | None:
    """The output of git; None if the template is no repository of its own, or git fails."""
    git = shutil.which("git")
    if not git or not (Path(repository) / ".git").exists():
        return None
    result = subprocess.run(
        [git, "-C", repository, *command],
        env={name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
        capture_output=True,
        text=True,
        check=False,
    )
    return result.stdout.strip() or None if result.returncode == 0 else None


def hashes(root: Path) -> dict[str, str]:
    """SHA-256 of each file of the chassis, by its path. Line endings do not count."""
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(
            path.read_bytes().replace(b"\r\n", b"\n")
        ).hexdigest()
        for path in sorted((root / CHASSIS).rglob("*"))
        if path.is_file() and path.suffix != ".pyc" and path != root / MANIFEST
    }


def main(repository: str) -> None:
    table = json.loads(RECORD.read_text("utf-8"))
    url = output(repository, "remote", "get-url", "origin")
    table["template"] = url and re.sub(r"^(\w+://)[^/@]*@", r"\1", url)  # Leave a password out.
    table["commit"] = output(repository, "rev-parse", "HEAD")
    RECORD.write_text(f"{json.dumps(table, indent=2, ensure_ascii=False)}\n", "utf-8")
    Path(MANIFEST).write_text(f"{json.dumps(hashes(Path()), indent=2)}\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1])

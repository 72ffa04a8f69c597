"""Write into `.cruft.json` which commit of which repository generated this project.

    python chassis/development/template/remember.py REPOSITORY

The template's hook runs it once, with the Python that cookiecutter has: standard library only.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

RECORD = Path(".cruft.json")


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


def main(repository: str) -> None:
    table = json.loads(RECORD.read_text("utf-8"))
    url = output(repository, "remote", "get-url", "origin")
    table["template"] = url and re.sub(r"^(\w+://)[^/@]*@", r"\1", url)  # Leave a password out.
    table["commit"] = output(repository, "rev-parse", "HEAD")
    RECORD.write_text(f"{json.dumps(table, indent=2, ensure_ascii=False)}\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1])

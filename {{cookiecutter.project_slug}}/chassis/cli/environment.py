"""Restarts a script with the Python of .venv if the running Python lacks the packages."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

PACKAGE = "dependency_injector"  # Only a project's environment has this package.


def require_packages(script: Path) -> None:
    """Restart the script with the Python of .venv beside it, if this Python lacks the packages."""
    if find_spec(PACKAGE):
        return
    environment = script.resolve().with_name(".venv")
    python = environment / "bin" / "python"
    if python.exists() and not environment.samefile(sys.prefix):
        os.execv(python, [str(python), *sys.argv])  # noqa: S606
    sys.exit(
        f"Error: {sys.executable} does not have the project's packages. `make run` installs them "
        "into .venv."
    )

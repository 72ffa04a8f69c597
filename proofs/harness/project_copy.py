"""Copies of a generated project that a proof may change."""

import shutil
from pathlib import Path

LEFT_OUT = shutil.ignore_patterns(".venv", ".git", ".env", ".postgres", "*_cache", "__pycache__")


def copy_project(original: Path, target: Path) -> None:
    """Copy the project's files; the copy shares the environment of the original."""
    shutil.copytree(original, target, ignore=LEFT_OUT)
    (target / ".venv").symlink_to((original / ".venv").resolve())

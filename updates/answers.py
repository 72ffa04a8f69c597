"""Finds the answers of a project of version 1.0, which did not record them."""

import re
import tomllib
from pathlib import Path
from typing import Any

from chassis.development.template.record import NAME, Record, TemplateError

EXAMPLE = "src/domain/models/todo.py"
PIPELINES = {"github": ".github", "gitlab": ".gitlab-ci.yml"}


def answers_of(root: Path, questions: dict[str, Any]) -> dict[str, Any]:
    """Read the answers from the project's files; later questions get their defaults."""
    if (root / NAME).exists():  # cruft records the answers.
        kept = Record.read(root).answers
        return {name: value for name, value in kept.items() if name in questions}
    try:
        table = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    except (OSError, ValueError, KeyError) as error:
        raise TemplateError(f"pyproject.toml cannot be read: {error}") from error
    title = re.search(r"^# (.+)$", (root / "README.md").read_text("utf-8"), re.MULTILINE)
    name = re.sub(r"\\(.)", r"\1", title[1]) if title else table["name"]
    authors = table.get("authors") or [{"name": ""}]
    license_ = str(table.get("license", "MIT"))
    return {
        "project_name": name,
        "project_slug": table["name"],
        "description": table.get("description", ""),
        "author": authors[0].get("name", ""),
        "license": license_.removeprefix("LicenseRef-"),
        "example_resource": (root / EXAMPLE).exists(),
    }

"""Keeps the table of the example, and its revision, as a project has applied them.

From 2.0.0 on, the revision of a new project has a CHECK. Databases that applied the revision
without it would differ from their models, so a project that exists keeps both files.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

from chassis.development.template.git import attempt, git

REVISION = "migrations/versions/0001_create_todos.py"
TABLE = "src/infrastructure/models/todos.py"
CHECK = "ck_todos_title"


def keep(old_tree: Path, new_tree: Path) -> None:
    """Leave the two files out of the difference between two generated projects."""
    for path in (REVISION, TABLE):
        if (old_tree / path).exists() and (new_tree / path).exists():
            shutil.copyfile(old_tree / path, new_tree / path)


def restore(project: Path) -> Iterator[str]:
    """Restore the two files as they are committed, and yield their paths."""
    revision = project / REVISION
    if not revision.exists() or CHECK not in revision.read_text("utf-8"):
        return
    committed = attempt("show", f"HEAD:./{REVISION}", cwd=project)
    if committed.returncode or CHECK in committed.stdout:
        return
    for path in (REVISION, TABLE):
        if not attempt("cat-file", "-e", f"HEAD:./{path}", cwd=project).returncode:
            git("checkout", "--quiet", "HEAD", "--", path, cwd=project)
            yield path

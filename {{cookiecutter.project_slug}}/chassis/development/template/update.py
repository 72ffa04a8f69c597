"""Merges the template's changes into this project, with git.

The old and the new state of the template are rendered with the recorded answers, and become two
commits without a branch. `git cherry-pick` then applies the difference between them: edits stay,
renames follow, and lines that both sides changed get conflict markers.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from chassis.development.template.git import IDENTITY, attempt, git
from chassis.development.template.record import NAME, Record, TemplateError
from chassis.development.template.template_clone import Template

# A renamed folder must not take a team's new files with it.
MERGE = ("-c", "merge.directoryRenames=false", "-c", "merge.renameLimit=10000")
# File modes count, whatever core.fileMode the project's repository has.
MODES = ("-c", "core.fileMode=true")
PICK = ("--strategy-option=ignore-cr-at-eol", "--no-commit")
# Files that a command writes: merging their lines is pointless.
MADE = {
    "docs/architecture.md": "make diagrams",
    "openapi.json": ".venv/bin/python manage.py openapi write",
    "requirements": "make lock",
}
SECRETS = ".env"

Ask = Callable[[str, Any], Any]


@dataclass(slots=True)
class Result:
    commit: str
    updated: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)  # Deleted by this project; they stay deleted.
    answered: dict[str, Any] = field(default_factory=dict)
    # The commands that rewrite the files with lines of both sides.
    commands: list[str] = field(default_factory=list)
    # Files that were merged by their definitions instead of their lines.
    merged: list[str] = field(default_factory=list)
    renamed: list[str] = field(default_factory=list)  # Files in which a moved name was replaced.
    failed: str = ""  # The error of a step of the template.


@dataclass(frozen=True, slots=True)
class State:
    """The project's place in the template's history."""

    at: str
    newest: str
    commits: list[str]


def state(root: Path, source: str | None, reference: str | None) -> State:
    """Compare the recorded commit with another one, the newest by default."""
    record = Record.read(root)
    with tempfile.TemporaryDirectory() as folder:
        template, old, new = _clone(record, source, reference, Path(folder))
        commits = template.newer(old, new)
        return State(template.describe(old), template.describe(new), commits)


def update(root: Path, source: str | None, reference: str | None, ask: Ask) -> Result:
    """Merge a state of the template into the working tree and its index; commit nothing.

    Raise TemplateError, and change nothing, if the tree has uncommitted changes or the template
    cannot be read.
    """
    require_clean(root)
    record = Record.read(root)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        template, old, new = _clone(record, source, reference, folder)
        old_tree = template.render(old, record.answers, "old")
        questions = template.questions(new)
        unasked = {key: one for key, one in questions.items() if key not in record.answers}
        answers = record.answers | {key: ask(key, one) for key, one in unasked.items()}
        new_tree = template.render(new, answers, "new")
        # The generated .cruft.json has every answer, also those that were left at their defaults.
        answers = Record.read(new_tree).answers
        result = Result(new, answered={key: answers.get(key) for key in unasked})
        merge(root, old_tree, new_tree, result)
        replace(record, source=source or record.source, commit=new, answers=answers).write(root)
        git("add", "--", NAME, cwd=root)
        _take_steps(root, template, template.steps(old), result)
        result.updated = _staged(root, without={*result.conflicts, NAME})
        merged = (path for path in result.updated if _is_of_both(root / path, new_tree / path))
        result.commands = sorted({*result.commands, *filter(None, map(_command, merged))})
    return result


def _staged(root: Path, without: set[str]) -> list[str]:
    changed = git("diff", "--cached", "--name-only", "--relative", "HEAD", cwd=root)
    return [path for path in changed.splitlines() if path not in without]


def _command(path: str) -> str | None:
    """The command that writes this file."""
    return MADE.get(path) or MADE.get(path.partition("/")[0])


def _is_of_both(merged: Path, rendered: Path) -> bool:
    """Whether lines of the project are left in a file that the template changed."""
    return merged.is_file() and rendered.is_file() and merged.read_bytes() != rendered.read_bytes()


def merge(root: Path, old_tree: Path, new_tree: Path, result: Result) -> None:
    """Apply the difference between two rendered projects, and record the outcome in `result`."""
    base = _commit(root, old_tree, None)
    target = _commit(root, new_tree, base)
    windows = _with_crlf(root)
    picked = attempt(*MERGE, "cherry-pick", *PICK, target, cwd=root, **IDENTITY)
    unmerged = _unmerged(root)
    if picked.returncode and not unmerged:
        reason = picked.stderr.strip().splitlines() or ["git gave no reason"]
        raise TemplateError(f"Nothing was changed. {reason[0]}")
    for path in windows - unmerged.keys():
        if (root / path).is_file():
            _restore_crlf(root, path)
    _settle(root, unmerged, result)


def _with_crlf(root: Path) -> set[str]:
    """Files that were committed with the line endings of Windows."""
    lines = git("ls-files", "--eol", "-z", cwd=root).split("\0")
    return {line.partition("\t")[2] for line in lines if line.startswith("i/crlf")}


def _restore_crlf(root: Path, path: str) -> None:
    """Restore CRLF line endings in a file that may have got lines of the template."""
    old = (root / path).read_bytes()
    new = old.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    if new != old:
        (root / path).write_bytes(new)
        git("add", "--", path, cwd=root)


def _take_steps(root: Path, template: Template, done: Sequence[str], result: Result) -> None:
    try:
        for what, path in template.run_steps(root, done):
            (result.merged if what == "merged" else result.renamed).append(path)
    except TemplateError as error:
        result.failed = error.message
    unmerged = _unmerged(root)
    result.conflicts = [path for path in result.conflicts if path in unmerged]
    if changed := [path for path in result.renamed if path not in unmerged]:
        git("add", "--", *changed, cwd=root)


def require_clean(root: Path) -> None:
    if git("rev-parse", "--is-inside-work-tree", cwd=root) != "true":
        raise TemplateError("This is no work tree of git. An update is a merge: `git init` first.")
    if changes := git("status", "--porcelain", cwd=root).splitlines():
        raise TemplateError(
            f"The work tree has changes that are not committed ({', '.join(changes[:3])}). Commit "
            "or stash them first, so that an update can be looked at and taken back by itself."
        )


def _clone(
    record: Record, source: str | None, reference: str | None, folder: Path
) -> tuple[Template, str, str]:
    if not (place := source or record.source):
        raise TemplateError(f"{NAME} names no repository. Give one: --from URL-OR-PATH.")
    if not record.commit:
        raise TemplateError(
            f"{NAME} names no commit: the template was no repository of git. Write the commit that "
            "generated this project into the file."
        )
    template = Template(place, folder)
    return template, template.commit(record.commit), template.commit(reference)


def _commit(root: Path, rendered: Path, parent: str | None) -> str:
    """Commit a rendered project in this repository, at this project's place, without a branch."""
    (rendered / SECRETS).unlink(missing_ok=True)
    (rendered / NAME).unlink(missing_ok=True)
    index = {"GIT_INDEX_FILE": str(rendered.parent / "index")}
    database = git("rev-parse", "--absolute-git-dir", cwd=root)
    place = {"GIT_DIR": database, "GIT_WORK_TREE": str(rendered)}
    git(*MODES, "add", "--all", "--force", ".", cwd=rendered, **index, **place)
    tree = git("write-tree", cwd=rendered, **index, **place)
    if prefix := git("rev-parse", "--show-prefix", cwd=root):
        git("read-tree", "--empty", cwd=root, **index)
        git("read-tree", f"--prefix={prefix}", tree, cwd=root, **index)
        tree = git("write-tree", cwd=root, **index)
    parents = ["-p", parent] if parent else []
    return git("commit-tree", tree, *parents, "-m", "The template", cwd=root, **IDENTITY)


def _unmerged(root: Path) -> dict[str, set[str]]:
    """Return the conflicts with their stages: 1 old template, 2 project, 3 new template."""
    stages: dict[str, set[str]] = {}
    for line in git("ls-files", "--unmerged", "-z", cwd=root).split("\0"):
        if line:
            facts, _, path = line.partition("\t")
            stages.setdefault(path, set()).add(facts.split()[2])
    return stages


def _settle(root: Path, unmerged: dict[str, set[str]], result: Result) -> None:
    """Keep deletions of the project, and leave generated files to their commands."""
    for path, stages in unmerged.items():
        command = _command(path)
        if "2" not in stages and "1" in stages:
            git("rm", "--quiet", "--cached", "--ignore-unmatch", "--", path, cwd=root)
            (root / path).unlink(missing_ok=True)
            result.deleted.append(path)
        elif command and "2" in stages:
            git("checkout", "--ours", "--", path, cwd=root)
            git("add", "--", path, cwd=root)
            result.commands.append(command)
        else:
            result.conflicts.append(path)
    result.commands = sorted(set(result.commands))

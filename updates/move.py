"""Bring a project of version 1.0 to this one, which has its machinery in chassis/.

python -m updates.move PROJECT [answer=value ...]

It moves the project's files and import lines as the template moved its own, merges what is new
since with git, and puts what a team added to files that moved back into src/. Nothing is
committed; `git reset --hard` takes it back. Ends with 3 where conflicts are left, with 1 where
nothing was changed.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chassis.development.template import update
from chassis.development.template.git import attempt, git
from chassis.development.template.record import Record, TemplateError
from chassis.development.template.rendering import Template
from updates import ROOT, members, sections, unresolved
from updates.answers import answers_of
from updates.renames import Mapping, module_of, move, read, rewrite

VERSION_1 = "a159cf753f43e142e06cbd152e08eeb08394ffb2"
FINDINGS = 3
NEXT = (
    "make format",
    ".venv/bin/python manage.py openapi write",
    "make check",
    "make test",
    'git commit --all -m "Update from the template"',
)


@dataclass
class Outcome:
    updated: int = 0
    merged: list[str] = field(default_factory=list)  # By what they define, or put back into src/.
    conflicts: dict[str, str] = field(default_factory=dict)  # With the reason, where one is known.
    deleted: list[str] = field(default_factory=list)
    unresolved: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Additions:
    """What a team added to a module that moved."""

    path: str
    text: str
    rows: tuple[str, str] | None = None  # Of DOMAIN_ERRORS: the module as generated, and as it is.


def main() -> int:
    parser = argparse.ArgumentParser(prog="updates.move", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("project", type=Path, metavar="PROJECT")
    parser.add_argument("answers", nargs="*", metavar="answer=value")
    given = parser.parse_args()
    try:
        outcome = move_project(given.project.resolve(), dict(map(_answer, given.answers)))
    except TemplateError as error:
        print(f"{error.message}\nNothing was changed.", file=sys.stderr)
        return 1
    report(outcome)
    return FINDINGS if outcome.conflicts else 0


def _answer(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise SystemExit(f"{text} is no answer. Write it as name=value.")
    return name, value


def move_project(root: Path, given: dict[str, str]) -> Outcome:
    """Raise TemplateError where nothing was changed."""
    _require_version_1(root)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        template = Template(str(ROOT), folder)
        new_commit = template.commit(git("rev-parse", "HEAD", cwd=ROOT))
        answers = answers_of(root, template.questions(new_commit)) | given
        old_tree = template.render(template.commit(VERSION_1), answers, "old")
        new_tree = template.render(new_commit, answers, "new")
        record = Record.read(new_tree)
        try:
            outcome = _move(root, old_tree, new_tree)
            source = git("config", "--default", "", "--get", "remote.origin.url", cwd=ROOT)
            Record(source or None, new_commit, record.answers).write(root)
            git("add", "--", ".cruft.json", cwd=root)
        except BaseException:
            git("reset", "--quiet", "--hard", cwd=root)
            raise
    return outcome


def _require_version_1(root: Path) -> None:
    if not root.is_dir():
        raise TemplateError(f"There is no folder {root}.")
    inside = attempt("rev-parse", "--is-inside-work-tree", cwd=root)
    if inside.returncode or inside.stdout.strip() != "true":
        raise TemplateError("The project is no work tree of git: `git init`, and commit it first.")
    if (root / "chassis").exists():
        raise TemplateError(
            "The project has a chassis/ already: `python manage.py template update` updates it."
        )
    if not (root / "src/infrastructure/maintenance/ops.sql").exists():
        raise TemplateError("This is no project of version 1.0: it lacks the files of it.")
    update.require_clean(root)


def _move(root: Path, old_tree: Path, new_tree: Path) -> Outcome:
    mapping = Mapping.read()
    additions = list(_additions(root, old_tree, mapping))
    for tree in (old_tree, root):
        move(tree, mapping)
    pending = list(_edited(root, old_tree, new_tree))
    documents = list(_documents(root, old_tree, new_tree))
    git("add", "--all", ".", cwd=root)
    settled = update.Result("")
    update.merge(root, old_tree, new_tree, settled)
    outcome = Outcome(deleted=settled.deleted, commands=settled.commands)
    outcome.conflicts = dict.fromkeys(settled.conflicts, "")
    _merge_documents(root, documents, outcome)
    _merge_members(root, pending, mapping, new_tree, outcome)
    _put_back(root, additions, mapping, outcome)
    changed = git("diff", "--cached", "--name-only", "HEAD", cwd=root).splitlines()
    outcome.updated = len(changed)
    outcome.unresolved = list(unresolved.names(root))
    return outcome


def _edited(root: Path, old: Path, new: Path) -> Iterator[tuple[str, str, str, str]]:
    """Path, and the module as it was generated, as it is and as it is now; of those that stay."""
    for path in sorted((root / "src").rglob("*.py")):
        name = str(path.relative_to(root))
        if (old / name).exists() and (new / name).exists():
            texts = [plain(folder / name) for folder in (old, root, new)]
            if texts[0] != texts[1]:
                yield name, texts[0], texts[1], texts[2]


def _documents(root: Path, old: Path, new: Path) -> Iterator[tuple[str, str, str, str]]:
    for path in sorted([*root.glob("*.md"), *(root / "docs").glob("*.md")]):
        name = str(path.relative_to(root))
        if (old / name).exists() and (new / name).exists():
            yield name, plain(old / name), plain(path), plain(new / name)


def plain(path: Path) -> str:
    return read(path).replace("\r\n", "\n")


def _merge_members(
    root: Path,
    pending: Iterable[tuple[str, str, str, str]],
    mapping: Mapping,
    new_tree: Path,
    outcome: Outcome,
) -> None:
    inherited = members.members_of(plain(new_tree / "chassis/container.py"), "ServiceContainer")
    for name, base, ours, new in pending:
        merge = members.Merge(base, ours, new, _homes(mapping, module_of(name)), inherited)
        try:
            text = merge.run()
        except members.Conflict as conflict:
            if name in outcome.conflicts:
                outcome.conflicts[name] = str(conflict)
            continue
        _write(root, name, text)
        outcome.conflicts.pop(name, None)
        outcome.merged.append(name)


def _merge_documents(
    root: Path, documents: Iterable[tuple[str, str, str, str]], outcome: Outcome
) -> None:
    for name, *texts in documents:
        if name in outcome.conflicts:
            try:
                text = sections.merge(*texts)
            except members.Conflict as conflict:
                outcome.conflicts[name] = str(conflict)
                continue
            _write(root, name, text)
            del outcome.conflicts[name]
            outcome.merged.append(name)


def _homes(mapping: Mapping, module: str) -> Any:
    def home(name: str) -> str | None:
        there, called = mapping.home(module, name)
        return None if there == module else f"from {there} import {called}"

    return home


def _write(root: Path, name: str, text: str) -> None:
    """With the line endings that the file has."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and "\r\n" in read(path):
        text = text.replace("\n", "\r\n")
    path.write_text(text, "utf-8", newline="")
    git("add", "--", name, cwd=root)


def _additions(root: Path, old: Path, mapping: Mapping) -> Iterator[Additions]:
    """Take them out of the modules that move; what names them goes on to name them there."""
    for name in [*mapping.files, *(f"{module.replace('.', '/')}.py" for module in mapping.names)]:
        path = root / name
        if not (name.endswith(".py") and path.exists() and (old / name).exists()):
            continue
        base, ours = plain(old / name), plain(path)
        added = members.added(base, ours)
        if base == ours or not added:
            if base != ours and name == "src/error_handler.py":
                yield Additions(name, "", (base, ours))
                path.write_text(base, "utf-8", newline="")
            continue
        mapping.names[module_of(name)].update(dict.fromkeys(added, module_of(name)))
        if name in mapping.files and not _named_through_module(root, name, added):
            text, rest = members.split(ours, added)
            yield Additions(name, text)
            path.write_text(base if members.says_as(rest, base) else rest, "utf-8", newline="")


def _named_through_module(root: Path, name: str, added: Iterable[str]) -> bool:
    return False


def _put_back(root: Path, additions: list[Additions], mapping: Mapping, outcome: Outcome) -> None:
    for one in additions:
        text = rewrite(one.text, mapping, python=True)
        path = root / one.path
        there = plain(path) if path.exists() else ""
        home = _homes(mapping, module_of(one.path))
        try:
            if one.rows:
                there = members.with_rows(there, *one.rows, home)
            merged = members.Merge("", text, there, home).run() if text else there
        except members.Conflict as conflict:
            outcome.conflicts[one.path] = f"add by hand ({conflict}):\n{text}"
            continue
        _write(root, one.path, merged)
        outcome.merged.append(one.path)


def report(outcome: Outcome) -> None:
    print(f"Changed: {outcome.updated} files")
    _list("Merged by what they define: look at them", outcome.merged)
    _list("Deleted here, and left so", outcome.deleted)
    _list("Conflicts", [f"{name}  {why}".rstrip() for name, why in outcome.conflicts.items()])
    _list("Names that are no longer there", outcome.unresolved)
    _list("Next", [*outcome.commands, *NEXT])


def _list(title: str, lines: Iterable[str]) -> None:
    listed = list(lines)
    print("\n".join([f"{title}: {len(listed)}", *(f"  {line}" for line in listed)]))


if __name__ == "__main__":
    sys.exit(main())

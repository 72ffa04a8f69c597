"""Bring a project of version 1.0 to this version, whose machinery lies in chassis/.

python -m updates.move PROJECT [answer=value ...]

The command moves files and rewrites imports as the template did, merges the template's later
changes with git, and moves a team's additions to moved files back into src/. It commits nothing;
`git reset --hard` undoes it. It exits with 3 where conflicts are left, and with 1 where it changed
nothing.
"""

import argparse
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from chassis.development.template import update
from chassis.development.template.git import attempt, git
from chassis.development.template.record import Record, TemplateError
from chassis.development.template.template_clone import Template

from updates import ROOT, error_rows, members, pieces, released_table, resolve, unresolved
from updates.answers import answers_of
from updates.renames import Mapping, is_text, module_of, move, read, rewrite, texts

VERSION_1 = "a159cf753f43e142e06cbd152e08eeb08394ffb2"
FINDINGS = 3
ERRORS = "src/error_handler.py"
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
    # Files that were merged by their definitions, or whose additions went back into src/.
    merged: list[str] = field(default_factory=list)
    # Conflicts, each with a reason where one is known.
    conflicts: dict[str, str] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    unresolved: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)

    def note(self, path: str, reason: str) -> None:
        """Record that a file was merged, or the reason why not."""
        if not reason:
            self.merged.append(path)
            self.conflicts.pop(path, None)
        elif path in self.conflicts:
            self.conflicts[path] = reason


@dataclass(frozen=True)
class Additions:
    """A team's additions to a module that moved."""

    path: str
    text: str
    rows: tuple[str, str] | None = (
        None  # The module with DOMAIN_ERRORS, as generated and as it is now.
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="updates.move", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("project", type=Path, metavar="PROJECT")
    parser.add_argument("answers", nargs="*", metavar="answer=value")
    given = parser.parse_args()
    try:
        outcome = move_project(given.project.resolve(), dict(map(_answer, given.answers)))
    except TemplateError as error:
        print(error.message, "Nothing was changed.", file=sys.stderr)
        return 1
    report(outcome)
    return FINDINGS if outcome.conflicts else 0


def _answer(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise SystemExit(f"{text} is no answer. Write it as name=value.")
    return name, value


def move_project(root: Path, given: dict[str, str]) -> Outcome:
    """Move a project. Raise TemplateError where nothing was changed."""
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
        raise TemplateError(
            "This is no project of version 1.0: it lacks the files of that version."
        )
    update.require_clean(root)


def _move(root: Path, old_tree: Path, new_tree: Path) -> Outcome:
    mapping = Mapping.read()
    additions = list(_additions(root, old_tree, mapping))
    move(old_tree, mapping, lambda tree: texts([tree]))
    released_table.keep(old_tree, new_tree)
    move(root, mapping, _tracked)
    edited = list(_edited(root, old_tree, new_tree))
    git("add", "--all", ".", cwd=root)
    settled = update.Result("")
    update.merge(root, old_tree, new_tree, settled)
    outcome = Outcome(deleted=settled.deleted, commands=settled.commands)
    outcome.conflicts = dict.fromkeys(settled.conflicts, "")

    def home(path: str, name: str) -> str | None:
        return _import_of(mapping, path, name)

    for path, *states in edited:
        outcome.note(path, resolve.merge(root, path, states, home))
    for path, reason in resolve.resolve(root, home):
        outcome.note(path, reason)
    _put_back(root, additions, mapping, outcome)
    changed = git("diff", "--cached", "--name-only", "HEAD", cwd=root).splitlines()
    outcome.updated = len(changed)
    outcome.unresolved = list(unresolved.names(root))
    return outcome


def _tracked(root: Path) -> Iterator[Path]:
    """List text files that git tracks or would track, so no ignored virtual environment."""
    listed = git("ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=root)
    for name in sorted(set(filter(None, listed.split("\0")))):
        if is_text(Path(name)) and (root / name).is_file():
            yield root / name


def _edited(root: Path, old: Path, new: Path) -> Iterator[tuple[str, str, str, str]]:
    """Yield each of the team's modules: its path, and its text as generated, as edited and as new.

    Only modules that exist in all three are merged by definitions: git would merge their lines,
    also where names moved.
    """
    for path in sorted((root / "src").rglob("*.py")):
        name = str(path.relative_to(root))
        if (old / name).exists() and (new / name).exists():
            base, ours, now = (read(folder / name) for folder in (old, root, new))
            if base != ours:
                yield name, base, ours, now


def _import_of(mapping: Mapping, path: str, name: str) -> str | None:
    module = module_of(path)
    there, called = mapping.home(module, name)
    return None if there == module else f"from {there} import {called}"


def _additions(root: Path, old: Path, mapping: Mapping) -> Iterator[Additions]:
    """Take a team's additions out of modules that move; imports still lead to their old module."""
    for name in [*mapping.files, *(f"{module.replace('.', '/')}.py" for module in mapping.names)]:
        path = root / name
        if not (name.endswith(".py") and path.exists() and (old / name).exists()):
            continue
        base, ours = resolve.plain(old / name), resolve.plain(path)
        try:
            added = pieces.added(base, ours)
        except SyntaxError:  # git merges this file by its lines.
            continue
        mapping.names[module_of(name)].update(dict.fromkeys(added, module_of(name)))
        rows = (base, ours) if name == ERRORS and error_rows.changed_rows(base, ours) else None
        stays = name not in mapping.files or _named_through_module(root, name, added)
        if not rows and (stays or not added):
            continue
        text, rest = pieces.split(ours, [] if stays else added)
        yield Additions(name, text if added and not stays else "", rows)
        expected = error_rows.with_rows(base, base, ours) if rows else base
        path.write_text(base if error_rows.says_as(rest, expected) else rest, "utf-8", newline="")


def _named_through_module(root: Path, name: str, added: Iterable[str]) -> bool:
    """Tell whether code uses `module.Name`: then the addition stays, as a patch of the chassis."""
    if not added:
        return False
    module = Path(name).stem
    used = re.compile(rf"\b{module}\.({'|'.join(map(re.escape, added))})\b")
    modules = (path for folder in ("src", "tests") for path in (root / folder).rglob("*.py"))
    return any(used.search(path.read_text("utf-8", "replace")) for path in modules)


def _put_back(root: Path, additions: list[Additions], mapping: Mapping, outcome: Outcome) -> None:
    for one in additions:
        text = rewrite(one.text, mapping, python=True)
        path = root / one.path
        there = resolve.plain(path) if path.exists() else ""
        home = partial(_import_of, mapping, one.path)
        try:
            if one.rows:
                base, ours = (rewrite(rows, mapping, python=True) for rows in one.rows)
                there = error_rows.with_rows(there, base, ours)
            merged = members.Merge("", text, there, home).run() if text else there
        except pieces.ConflictError as conflict:
            outcome.conflicts[one.path] = f"add by hand ({conflict}):\n{text}"
            continue
        resolve.write(root, one.path, merged, crlf=path.exists() and "\r\n" in read(path))
        outcome.note(one.path, "")


def report(outcome: Outcome) -> None:
    print(f"Changed: {outcome.updated} files")
    _list("Merged by definitions; please review", outcome.merged)
    _list("Deleted here before, and not restored", outcome.deleted)
    _list("Conflicts", [f"{name}  {why}".rstrip() for name, why in outcome.conflicts.items()])
    _list("Imported names that do not exist", outcome.unresolved)
    _list("Next", [*outcome.commands, *NEXT])


def _list(title: str, lines: Iterable[str]) -> None:
    listed = list(lines)
    print("\n".join([f"{title}: {len(listed)}", *(f"  {line}" for line in listed)]))


if __name__ == "__main__":
    sys.exit(main())

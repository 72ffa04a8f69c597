"""Writes and undoes the revisions of generated code, with `db migrate`, and openapi.json."""

import ast
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap
from typing import Any

import click
from sqlalchemy import Connection, text

from chassis.bootstrap import load_config_with_database
from chassis.development.generate.draft import Draft
from chassis.development.generate.grammar import read_field
from chassis.development.generate.kinds import quoted
from chassis.development.generate.places import OPENAPI, VERSIONS
from chassis.development.generate.receipt import Receipt, hashed_revision, receipts
from chassis.development.generate.refusal import Refusal
from chassis.development.generate.resource import Field
from chassis.maintenance.revisions import read_revisions, revision_of
from chassis.postgres.engines import unpooled_engine
from chassis.project import current_project
from chassis.settings import load_config

LINE_LENGTH, PIECE = 100, 76
PLAIN = {"int", "decimal", "bool"}


def write(draft: Draft, made: list[Receipt], add: Callable[[], list[str]] | None) -> None:
    """Write files and revisions; where the revisions that `add` writes fail, undo the files."""
    with draft.written(OPENAPI):
        revisions = add() if add else []
        for receipt in made:
            _store(draft, receipt, revisions)
        click.echo(f"Writing {OPENAPI} …", err=True)
        manage(draft.root, "openapi", "write")
    paths = (OPENAPI, *(f"{VERSIONS}/{name}" for name in revisions))
    _report(draft, [f"wrote   {path}" for path in paths])
    if revisions:
        click.echo("Read the revision, then: python manage.py db upgrade")


def added(draft: Draft, made: list[Receipt]) -> list[str]:
    return new_revision(draft.root, _message("Add", made))


def _message(verb: str, made: list[Receipt]) -> str:
    titles = [receipt.title for receipt in made]
    more = f" and {len(titles) - 2} more" if len(titles) > 3 else ""  # noqa: PLR2004
    return f"{verb} {', '.join(titles[:2] if more else titles)}{more}"


def _store(draft: Draft, receipt: Receipt, revisions: list[str]) -> None:
    texts = {name: (draft.root / VERSIONS / name).read_text("utf-8") for name in revisions}
    receipt.revisions = {name: hashed_revision(text) for name, text in texts.items()}
    (draft.root / receipt.path).write_text(receipt.text(), "utf-8", newline="\n")


def _report(draft: Draft, more: list[str]) -> None:
    for path, content in sorted(draft.texts.items()):
        click.echo(f"{'removed' if content is None else 'wrote  '} {path}")
    for line in more:
        click.echo(line)


def new_revision(root: Path, message: str, *options: str) -> list[str]:
    """The names of the files that `db migrate` adds."""
    click.echo("Writing the migration, and trying it on a database of its own …", err=True)
    before = set((root / VERSIONS).glob("*.py"))
    manage(root, "db", "migrate", "-m", message, *options)
    new = sorted(set((root / VERSIONS).glob("*.py")) - before)
    for file in new:
        file.write_text(wrapped(file.read_text("utf-8")), "utf-8", newline="\n")
    format_files(root, new)
    return [file.name for file in new]


def literal(field: Field, text: str) -> str:
    """A value as SQL."""
    if field.kind.type in PLAIN:
        return text
    # An unescaped colon would begin a parameter.
    quoted = text.replace("'", "''").replace(":", "\\:")
    return f"'{quoted}'"


def format_files(root: Path, files: list[Path]) -> None:
    for command in (("check", "--select", "F401,I", "--fix"), ("format",)):
        ruff = [sys.executable, "-m", "ruff", *command, "--quiet", *map(str, files)]
        subprocess.run(ruff, cwd=root, check=True)


def wrapped(source: str) -> str:
    """Split texts that make a line too long: the formatter does not split them."""
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Constant(value=str(value)) if node.end_lineno == node.lineno:
                line = lines[node.lineno - 1]
                if len(line) > LINE_LENGTH and line.isascii():
                    pieces = wrap(value, PIECE, drop_whitespace=False, break_long_words=False)
                    text = " ".join(json.dumps(piece) for piece in pieces)
                    lines[node.lineno - 1] = (
                        f"{line[: node.col_offset]}{text}{line[node.end_col_offset :]}"
                    )
    return "\n".join(lines) + "\n"


def manage(root: Path, *arguments: str) -> str:
    """Run a command in a new process: this one has imported the code before the change."""
    command = [sys.executable, "manage.py", *arguments]
    result = subprocess.run(
        command, cwd=root, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    if result.returncode:
        reason = (result.stderr or result.stdout).strip().removeprefix("Error: ")
        raise Refusal(f"`manage.py {shlex.join(arguments)}` failed; nothing was written. {reason}")
    return result.stdout


@dataclass(frozen=True, slots=True)
class Way:
    """The way to undo the revisions of a receipt."""

    delete: list[str]  # Files of revisions.
    downgrade_to: str | None  # The earlier revision, where the database has these.
    share: list[Receipt]  # Other resources of a revision that is rewritten.
    contract: bool


def end(draft: Draft, ended: list[Receipt], *, force: bool) -> None:
    """Remove files, and revisions that were never applied; for applied ones, add a new revision."""
    for one in ended:
        one.revisions = _present(draft, one)
    way = _way(draft, ended)
    if not force:
        _require_unedited(draft, way, ended)
    done = []
    with draft.written(OPENAPI, *(f"{VERSIONS}/{name}" for name in way.delete)):
        if way.downgrade_to:
            manage(draft.root, "db", "downgrade", way.downgrade_to, "--yes")
            done.append(f"downgraded the database to {way.downgrade_to}")
        for name in way.delete:
            (draft.root / VERSIONS / name).unlink()
            done.append(f"removed {VERSIONS}/{name}")
        if way.share or way.contract:
            done += [f"wrote   {VERSIONS}/{name}" for name in _replaced(draft, way, ended)]
        manage(draft.root, "openapi", "write")
    _report(draft, done)


def _require_unedited(draft: Draft, way: Way, ended: list[Receipt]) -> None:
    hashes = {name: one for receipt in ended for name, one in receipt.revisions.items()}
    for name in way.delete:
        if hashed_revision((draft.root / VERSIONS / name).read_text("utf-8")) != hashes[name]:
            raise Refusal(
                f"{VERSIONS}/{name}: edited after `generate`. Nothing was removed; --force "
                "removes the file."
            )


def _replaced(draft: Draft, way: Way, ended: list[Receipt]) -> list[str]:
    if way.contract:
        accepted = [part for one in ended for part in ("--accept-drop", one.title)]
        whole = [one for one in ended if one.kind == ended[-1].kind]
        revisions = new_revision(draft.root, _message("Remove", whole), *accepted)
        if [one for one in ended if one.kind == "field" and _fill_again(draft, revisions, one)]:
            check = [sys.executable, "manage.py", "db", "check"]  # Measures the changed downgrade.
            subprocess.run(check, cwd=draft.root, capture_output=True, check=False)
        return revisions
    revisions = added(draft, way.share)
    for receipt in way.share:
        _store(draft, receipt, revisions)
    return revisions


def _fill_again(draft: Draft, names: list[str], receipt: Receipt) -> bool:
    """Let the downgrade fill a required field with the value that the rows got at first."""
    field = read_field(receipt.description["source"])
    default = f"server_default=sa.text({quoted(literal(field, receipt.description['rows']))})"
    column = re.compile(
        rf'(op\.add_column\(\s*"{receipt.table}",\s*sa\.Column\(\s*"{field.name}",.*?'
        r"nullable=False)(,?\s*\),?\s*\)\n)",
        re.DOTALL,
    )
    restore = f'    op.alter_column("{receipt.table}", "{field.name}", server_default=None)\n'
    for path in (draft.root / VERSIONS / name for name in names):
        text = path.read_text("utf-8")
        changed = column.sub(lambda match: f"{match[1]}, {default}{match[2]}{restore}", text)
        if changed != text:
            path.write_text(changed, "utf-8", newline="\n")
            format_files(draft.root, [path])
            return True
    return False


def _way(draft: Draft, ended: list[Receipt]) -> Way:
    names = sorted({name for receipt in ended for name in receipt.revisions})
    paths = {name: draft.root / VERSIONS / name for name in names}
    if not names:
        return Way([], None, [], contract=_is_created(draft, ended[-1].table))
    line = read_revisions(draft.root / VERSIONS)
    ours = [one for one in line if _file_of(draft.root, one.revision) in paths]
    newest = line[len(line) - len(names) :]
    below = newest[0].down_revision if newest else None
    others = [one for one in _sharing(draft, names) if one.name not in {e.name for e in ended}]
    is_last = {one.revision for one in ours} == {one.revision for one in newest}
    if len(ours) < len(names) or not is_last or _is_published(draft.root, names):
        return Way([], None, [], contract=True)
    # Read before the embedded database starts, which sets the URL.
    is_embedded = not load_config(current_project().config_type).database_url
    applied, empty = _state(newest[0].revision, line, [*ended, *others])
    if not applied:
        return Way(names, None, others, contract=False)
    if is_embedded and empty and not others:
        return Way(names, below or "base", [], contract=False)
    return Way([], None, [], contract=True)


def _is_created(draft: Draft, table: str) -> bool:
    """Tell whether a later revision created the table, after `generate --no-migration`."""
    change = re.compile(rf"""(create|drop)_table\(\s*["']{table}["']""")
    upgrades = [draft.read(path).partition("def downgrade")[0] for path in draft.files(VERSIONS)]
    changes = [match[1] for text in upgrades for match in change.finditer(text)]
    return changes[-1:] == ["create"]


def _file_of(root: Path, revision: str) -> str:
    files = [file.name for file in (root / VERSIONS).glob(f"{revision}_*.py")]
    return files[0] if files else ""


def _sharing(draft: Draft, names: list[str]) -> Iterator[Receipt]:
    yield from (one for one in receipts(draft) if set(_present(draft, one)) & set(names))


def _present(draft: Draft, receipt: Receipt) -> dict[str, str]:
    """Return the receipt's revisions by their current file names: a merge may renumber them."""
    there = sorted(file.name for file in (draft.root / VERSIONS).glob("*.py"))
    newest = {_slug(name): name for name in there}
    return {
        name if name in there else newest.get(_slug(name), name): content
        for name, content in receipt.revisions.items()
    }


def _slug(name: str) -> str:
    """Return the part of a revision's file name after the number."""
    return name.partition("_")[2]


def _is_published(root: Path, names: list[str]) -> bool:
    """Whether a branch of a remote, as this repository knows it, has one of the revisions."""
    paths = [f"{VERSIONS}/{name}" for name in names]
    command = ["git", "log", "--remotes", "--max-count=1", "--format=%h", "--", *paths]
    try:
        result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return False
    return bool(result.stdout.strip())


def _state(first: str, line: list[Any], made: list[Receipt]) -> tuple[bool, bool]:
    """Whether the database has the first of the revisions, and whether its tables are empty."""
    config = load_config_with_database(current_project().config_type)
    with unpooled_engine(config.migration_url).connect() as connection:
        current = revision_of(connection)
        revisions = [one.revision for one in line]
        if current not in revisions:
            return current is not None, False
        applied = revisions.index(current) >= revisions.index(first)
        return applied, applied and all(_is_empty(connection, one) for one in made)


def _is_empty(connection: Connection, receipt: Receipt) -> bool:
    statement = text(f'SELECT NOT EXISTS (SELECT FROM "{receipt.table}")')  # noqa: S608  # A name of ours.
    return bool(connection.execute(statement).scalar_one())

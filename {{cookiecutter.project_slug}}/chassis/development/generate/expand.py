"""Writes the revisions that add a field to a table with rows: expand, then contract.

PostgreSQL adds a column with a constant default without reading or writing the rows.
https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-NOTES
"""

import json
import re
import subprocess
import sys
from dataclasses import asdict, dataclass

from chassis.development.generate.draft import Draft
from chassis.development.generate.generated_revisions import (
    format_files,
    literal,
    new_revision,
    wrapped,
)
from chassis.development.generate.kinds import quoted
from chassis.development.generate.later import Addition
from chassis.development.generate.places import VERSIONS, entity_file, table_file
from chassis.development.generate.refusal import Refusal
from chassis.development.generate.resource_code import attribute, indexed

NOT_APPLIED = "Target database is not up to date"
HEAD = '''"""{message}"""

{imports}

revision = "{revision}"
down_revision = "{below}"
maintenance = "none"
phase = "{phase}"


def upgrade() -> None:
    {upgrade}


def downgrade() -> None:
    {downgrade}
'''

CONCURRENTLY = (
    "from chassis.migrations.operations import create_index_concurrently, drop_index_concurrently"
)


@dataclass(frozen=True, kw_only=True)
class Revision:
    """The values for the head of a revision's file."""

    message: str
    upgrade: str
    downgrade: str
    imports: str = "from alembic import op"
    phase: str = "expand"


def add_revisions(draft: Draft, addition: Addition) -> list[str]:
    """Write the revisions; return the names of their files, oldest first."""
    table = addition.resource.plural
    names = _nullable(draft, addition)
    if addition.is_required:
        _give_default(draft, names, addition)
    for columns, unique in _indexes(addition):
        names.append(_index(draft, names[-1], table, columns, unique=unique))
    if addition.is_required:
        names.append(_contract(draft, names[-1], addition))
    _require_no_findings(draft)
    return names


def _nullable(draft: Draft, addition: Addition) -> list[str]:
    """Let `db migrate` add the column, nullable and without an index."""
    entity = draft.root / entity_file(addition.resource.singular)
    table = draft.root / table_file(addition.resource.plural)
    texts = {file: file.read_bytes() for file in (entity, table)}
    line = attribute(addition.resource, addition.field)
    annotation = line.partition(" = ")[0].removesuffix(" | None")
    entity.write_bytes(texts[entity].replace(line.encode(), f"{annotation} | None = None".encode()))
    without = [one for one in texts[table].splitlines(keepends=True) if not _is_new(one, addition)]
    table.write_bytes(b"".join(without))
    try:
        message = f"Add {addition.field.name} to {addition.resource.plural}"
        return new_revision(draft.root, message)
    finally:
        for file, content in texts.items():
            file.write_bytes(content)


def _is_new(line: bytes, addition: Addition) -> bool:
    return line.strip().startswith(f'Index(None, "{addition.field.name}"'.encode())


def _give_default(draft: Draft, names: list[str], addition: Addition) -> None:
    """Give the column a default, for its rows and for the release that does not know it yet."""
    column = re.compile(rf'(sa\.Column\(\s*"{addition.field.name}",.*?)nullable=True', re.DOTALL)
    value = quoted(literal(addition.field, addition.rows))
    default = f"nullable=False, server_default=sa.text({value})"
    for path in (draft.root / VERSIONS / name for name in names):
        text = path.read_text("utf-8")
        changed, count = column.subn(lambda match: f"{match[1]}{default}", text, count=1)
        if count:
            path.write_text(changed, "utf-8", newline="\n")
            format_files(draft.root, [path])
            return
    raise Refusal(f"No revision adds {addition.field.name}; nothing was written.")


def _indexes(addition: Addition) -> list[tuple[list[str], bool]]:
    """The indexes in the table's lines: columns, and whether each is unique."""
    field = addition.field
    unique, plain = [field.name] * field.has("unique"), indexed(addition.resource, field)
    return [(columns, columns is unique) for columns in (unique, plain) if columns]


def _index(draft: Draft, below: str, table: str, columns: list[str], *, unique: bool) -> str:
    name = f"ix_{table}_{'_'.join(columns)}"
    arguments = f'"{name}", "{table}", {json.dumps(columns)}' + ", unique=True" * unique
    revision = Revision(
        message=f"Index {' and '.join(columns)} of {table}",
        imports=CONCURRENTLY,
        upgrade=f"create_index_concurrently({arguments})",
        downgrade=f'drop_index_concurrently("{name}", "{table}")',
    )
    return _write(draft, below, revision)


def _contract(draft: Draft, below: str, addition: Addition) -> str:
    """Write the contract revision, for the time when no earlier release runs."""
    table, name = addition.resource.plural, addition.field.name
    value = literal(addition.field, addition.rows)
    restore = f"ALTER TABLE {table} ALTER {name} SET DEFAULT {value}"
    revision = Revision(
        message=f"Leave {name} of {table} to the code",
        upgrade=f'op.alter_column("{table}", "{name}", server_default=None)',
        downgrade=f"op.execute({quoted(restore)})",
        phase="contract",
    )
    return _write(draft, below, revision)


def _write(draft: Draft, below: str, revision: Revision) -> str:
    number = below.partition("_")[0]
    following = f"{int(number) + 1:04}"
    slug = re.sub(r"[^a-z0-9]+", "_", revision.message.lower())[:40].strip("_")
    path = draft.root / VERSIONS / f"{following}_{slug}.py"
    text = HEAD.format(**asdict(revision), revision=following, below=number)
    path.write_text(wrapped(text), "utf-8", newline="\n")
    format_files(draft.root, [path])
    return path.name


def _require_no_findings(draft: Draft) -> None:
    """Run `db check`, and ignore the finding that the new revisions are not applied."""
    command = [sys.executable, "manage.py", "db", "check", "--json"]
    result = subprocess.run(command, cwd=draft.root, capture_output=True, text=True, check=False)
    if not result.stdout.strip():
        raise Refusal(f"`manage.py db check` failed; nothing was written. {result.stderr.strip()}")
    findings = json.loads(result.stdout)
    if wrong := [one for one in findings if not one.startswith(NOT_APPLIED)]:
        sentences = ". ".join(one.rstrip(".") for one in wrong)
        raise Refusal(f"`manage.py db check` says: {sentences}. Nothing was written.")

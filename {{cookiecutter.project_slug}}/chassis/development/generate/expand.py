"""Writes the revisions that add a field to a table with rows: expand, then contract.

`db check` tries each revision, and names the declarations that the revision needs.
"""

import json
import re
import subprocess
import sys
from dataclasses import asdict, dataclass

from chassis.development.generate.draft import Draft
from chassis.development.generate.generated_revisions import format_files, new_revision, wrapped
from chassis.development.generate.kinds import quoted
from chassis.development.generate.later import Addition
from chassis.development.generate.places import VERSIONS, entity_file, table_file
from chassis.development.generate.refusal import Refusal
from chassis.development.generate.resource import Field
from chassis.development.generate.resource_code import attribute

PLAIN = {"int", "decimal", "bool"}
DECLARES = re.compile(r'^(\d{4}) MIG012: has to say (maintenance|phase) = ("[\w-]+")')
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
    field, table = addition.field, addition.resource.plural
    names = _nullable(draft, addition)
    if field.default:
        _give_default(draft, names, addition)
    for columns, unique in _indexes(addition.field):
        names.append(_index(draft, names[-1], table, columns, unique=unique))
    if addition.is_required:
        names.append(_contract(draft, names[-1], addition))
    _declare(draft)
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
    """Give the column a default, for the release that does not know it yet."""
    column = re.compile(rf'(sa\.Column\(\s*"{addition.field.name}",.*?)nullable=True', re.DOTALL)
    default = f"nullable=False, server_default=sa.text({quoted(_literal(addition))})"
    for path in (draft.root / VERSIONS / name for name in names):
        text = path.read_text("utf-8")
        changed, count = column.subn(lambda found: f"{found[1]}{default}", text, count=1)
        if count:
            path.write_text(changed, "utf-8", newline="\n")
            format_files(draft.root, [path])
            return
    raise Refusal(f"No revision adds {addition.field.name}; nothing was written.")


def _literal(addition: Addition) -> str:
    """A value as SQL."""
    if addition.field.kind.type in PLAIN:
        return addition.rows
    # An unescaped colon would begin a parameter.
    quoted = addition.rows.replace("'", "''").replace(":", "\\:")
    return f"'{quoted}'"


def _indexes(field: Field) -> list[tuple[list[str], bool]]:
    """The indexes in the table's lines: columns, and whether each is unique."""
    found = [([field.name], True)] if field.has("unique") else []
    if field.has("filter"):
        return [*found, ([field.name, "id"], False)]
    if field.has("index") or (field.kind.target and not field.has("unique")):
        return [*found, ([field.name], False)]
    return found


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
    table, name, value = addition.resource.plural, addition.field.name, _literal(addition)
    update = f"UPDATE {table} SET {name} = {value} WHERE {name} IS NULL"  # noqa: S608  # Quoted.
    require = f'op.alter_column("{table}", "{name}", nullable=False)'
    revision = Revision(
        message=f"Require {name} of {table}",
        upgrade=f"op.execute({quoted(update)})\n    {require}",
        downgrade=f'op.alter_column("{table}", "{name}", nullable=True)',
        phase="contract",
    )
    if addition.field.default:
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


def _declare(draft: Draft) -> None:
    """Add the declarations that `db check` requires, and check again."""
    for sentence in _check(draft):
        if found := DECLARES.match(sentence):
            [file] = (draft.root / VERSIONS).glob(f"{found[1]}_*.py")
            line = re.compile(rf"^{found[2]} = .*$", re.MULTILINE)
            text = line.sub(f"{found[2]} = {found[3]}", file.read_text("utf-8"), count=1)
            file.write_text(text, "utf-8", newline="\n")
    if wrong := _check(draft):
        raise Refusal(f"`manage.py db check` says: {' '.join(wrong)} Nothing was written.")


def _check(draft: Draft) -> list[str]:
    """Run `db check`, except for the finding that the new revisions are not applied."""
    command = [sys.executable, "manage.py", "db", "check", "--json"]
    result = subprocess.run(command, cwd=draft.root, capture_output=True, text=True, check=False)
    if not result.stdout.strip():
        raise Refusal(f"`manage.py db check` failed; nothing was written. {result.stderr.strip()}")
    return [one for one in json.loads(result.stdout) if not one.startswith(NOT_APPLIED)]

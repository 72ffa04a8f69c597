"""Grows a project as in a year: ten resources with other names, and revisions of every kind."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

RESOURCES = "invoice customer shipment parcel carrier payment refund voucher supplier depot"
REVISION = '''"""{name}."""

from alembic import op

from chassis.migrations import operations

revision = "{number:04}"
down_revision = "{below:04}"
maintenance = "{maintenance}"
phase = "{phase}"
{more}

def upgrade() -> None:
    {up}


def downgrade() -> None:
    {down}
'''


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of revision. Its statements are Python, in which `{n}` is the number of the round."""

    name: str
    up: str
    down: str = '"""Nothing has to be taken back."""'
    maintenance: str = "none"
    phase: str = "expand"
    irreversible: str = ""


def sql(statement: str) -> str:
    return f"op.execute({statement!r})"


EQUAL = 'operations.keep_columns_equal("ledger_{n}", "amount", "total")'
DIFFERENT = 'operations.let_columns_differ("ledger_{n}", "total")'

# A round takes back all that it creates, so that the models stay the same.
KINDS = (
    Kind(
        "Make a table",
        sql("CREATE TABLE ledger_{n} (id integer NOT NULL, amount integer)"),
        sql("DROP TABLE ledger_{n}"),
    ),
    Kind(
        "Add a column",
        sql("ALTER TABLE ledger_{n} ADD COLUMN remark text"),
        sql("ALTER TABLE ledger_{n} DROP COLUMN remark"),
    ),
    Kind(
        "Index it while it is written to",
        'operations.create_index_concurrently("ix_ledger_{n}", "ledger_{n}", ["amount"])',
        'operations.drop_index_concurrently("ix_ledger_{n}", "ledger_{n}")',
    ),
    Kind(
        "Keep two columns equal",
        f"{sql('ALTER TABLE ledger_{n} ADD COLUMN total integer')}; {EQUAL}",
        f"{DIFFERENT}; {sql('ALTER TABLE ledger_{n} DROP COLUMN total')}",
    ),
    Kind("Let them differ", DIFFERENT, EQUAL),
    Kind("Make a type", sql("CREATE TYPE state_{n} AS ENUM ('open')"), sql("DROP TYPE state_{n}")),
    Kind("Add a value", 'operations.add_enum_value("state_{n}", "closed")'),
    Kind(
        "Fill a column",
        sql("UPDATE ledger_{n} SET remark = 'none' WHERE remark IS NULL"),
        maintenance="read-only",
    ),
    Kind(
        "Write the table anew",
        sql("ALTER TABLE ledger_{n} ALTER COLUMN amount TYPE bigint"),
        sql("ALTER TABLE ledger_{n} ALTER COLUMN amount TYPE integer"),
        maintenance="full",
        phase="contract",
    ),
    Kind(
        "Forget the remarks",
        sql("UPDATE ledger_{n} SET remark = NULL"),
        maintenance="read-only",
        irreversible="The remarks are gone.",
    ),
    Kind(
        "Drop what nobody reads",
        sql("DROP TABLE ledger_{n}; DROP TYPE state_{n}"),
        maintenance="full",
        phase="contract",
        irreversible="The table is gone.",
    ),
)


def grow(project: Path, first: int, rounds: int) -> Iterator[Path]:
    """Write rounds of revisions that begin with number `first`; the last is a contract revision."""
    number = first
    for n in range(rounds):
        for kind in KINDS:
            name = re.sub(r"\W+", "_", kind.name.lower())
            more = f'irreversible = "{kind.irreversible}"\n' if kind.irreversible else ""
            text = REVISION.format(
                name=kind.name,
                number=number,
                below=number - 1,
                maintenance=kind.maintenance,
                phase=kind.phase,
                more=more,
                up=kind.up.replace("{n}", str(n)),
                down=kind.down.replace("{n}", str(n)),
            )
            path = project / f"migrations/versions/{number:04}_{name}.py"
            path.write_text(text)
            yield path
            number += 1


def renamed(guide: str, name: str) -> str:
    """Return the guide with another resource in place of the note."""
    for old, new in (("note", name), ("Note", name.title()), ("NOTE", name.upper())):
        guide = guide.replace(old, new)
    return guide

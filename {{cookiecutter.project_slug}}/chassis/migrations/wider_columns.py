"""Gives a column with a CHECK a wider type, without a scan while nobody else can read the table.

PostgreSQL checks each row again if the type changes, even if it rewrites none. So the revision adds
the CHECK anew, unvalidated, and the next revision validates it.
https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-NOTES
"""

import re
from collections.abc import Iterable, Iterator

from alembic.operations import ops

from chassis.migrations.catalog import Catalog, Key
from chassis.migrations.shapes import is_wider, no_longer_listed
from chassis.migrations.table_statements import (
    ConstraintStatement,
    Operation,
    Statement,
    qualified,
    quote,
)


class WiderColumn(Statement):
    """Changes the type of a column, and adds its CHECK constraints anew."""

    def __init__(self, column: Key, before: Catalog, wanted: Catalog, checks: list[Key]) -> None:
        old, new = (
            [ConstraintStatement(one.kind, one.relation, one.name, made[one]) for one in checks]
            for made in (before, wanted)
        )
        self._new = new
        forward = _altered(column, wanted[column], old, [one.addition for one in new])
        back = _altered(column, before[column], new, [one.addition for one in old])
        super().__init__(forward, back, column.relation)
        additions = [f"{one.addition} NOT VALID" for one in new]
        self._unvalidated = _altered(column, wanted[column], old, additions)

    def unvalidated(self) -> Statement:
        return Statement(self._unvalidated, self.back, self.relation)

    def validations(self) -> list[Statement]:
        return [validation for one in self._new for validation in one.validations()]


def with_wider_columns(
    operations: Iterable[Operation], before: Catalog, wanted: Catalog
) -> Iterator[Operation]:
    """Replace each change to a wider type of a column that has a CHECK."""
    for operation in operations:
        yield _wider(operation, before, wanted) or operation


def _wider(operation: Operation, before: Catalog, wanted: Catalog) -> WiderColumn | None:
    match operation:
        case ops.AlterColumnOp(
            modify_nullable=None, modify_comment=False, modify_server_default=False
        ):
            relation = operation.schema or "", operation.table_name
            column = Key("column type", *relation, operation.column_name)
            if column in before and is_wider(before[column], wanted.get(column, "")):
                checks = [*_checks(column, before)]
                # Later parts of the change drop a CHECK, or take a value off its list.
                unchanged = {
                    key: before[key].removesuffix(" NOT VALID")
                    for key in checks
                    if key not in wanted or no_longer_listed(before[key], wanted[key])
                }
                return WiderColumn(column, before, wanted | unchanged, checks) if checks else None
    return None


def _checks(column: Key, before: Catalog) -> Iterator[Key]:
    """The CHECK constraints that have the column's name; one too many does no harm."""
    name = re.escape(column.name.replace('"', '""'))
    for key, definition in sorted(before.items()):
        is_check = (key.kind, key.relation) == ("check constraint", column.relation)
        if is_check and re.search(rf"(?<!\w){name}(?!\w)", definition):
            yield key


def _altered(
    column: Key, kind: str, dropped: list[ConstraintStatement], additions: list[str]
) -> str:
    """SQL that changes the type while the constraints are away."""
    removals = [one.removal for one in dropped]
    parts = [*removals, f"ALTER {quote(column.name)} TYPE {kind}", *additions]
    return f"ALTER TABLE {qualified(column.schema, column.table)} {', '.join(parts)}"

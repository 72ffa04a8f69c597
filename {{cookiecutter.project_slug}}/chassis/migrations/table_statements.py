"""The parts of a revision: Alembic's operations, and SQL with its reverse."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from alembic.autogenerate import renderers
from alembic.operations import ops
from sqlalchemy.dialects.postgresql import dialect

from chassis.maintenance.declarations import EXPAND

Operation = ops.MigrateOperation
quote = dialect().identifier_preparer.quote  # type: ignore[no-untyped-call]
COLON = re.compile(r"(?<!:):(?=\w)")  # SQLAlchemy would read a name after a colon as a parameter.


@dataclass(frozen=True, slots=True)
class Part:
    """The contents of one revision."""

    operations: Sequence[Operation]
    phase: str = EXPAND


class Note(ops.MigrateOperation):
    """The docstring of a function that has nothing to do."""


@renderers.dispatch_for(Note)
def _render_note(_context: object, _operation: Note) -> str:
    return '"""Nothing has to be taken back."""'


class Statement(ops.ExecuteSQLOp):
    """SQL and its reverse, which is empty if there is nothing to reverse.

    `relation` is the table that it changes, with its schema.
    """

    def __init__(self, forward: str, back: str, relation: tuple[str, str] | None = None) -> None:
        super().__init__(COLON.sub(r"\\:", forward))
        self.forward, self.back, self.relation = forward, back, relation

    def reverse(self) -> "Statement | Note":
        return Statement(self.back, self.forward, self.relation) if self.back else Note()


class Removal(Statement):
    """Drops an object that tables use, after the tables."""

    def __init__(self, forward: str, back: str) -> None:
        super().__init__(forward, back)


class ConstraintStatement(Statement):
    """Adds a constraint."""

    def __init__(self, kind: str, relation: tuple[str, str], name: str, definition: str) -> None:
        self.kind, self.name, self.definition = kind, name, definition
        self._table = f"ALTER TABLE {qualified(*relation)}"
        # Parts of an ALTER TABLE.
        self.addition = f"ADD CONSTRAINT {quote(name)} {definition}"
        self.removal = f"DROP CONSTRAINT {quote(name)}"
        super().__init__(
            f"{self._table} {self.addition}", f"{self._table} {self.removal}", relation
        )

    def unvalidated(self) -> Statement:
        return Statement(f"{self.forward} NOT VALID", self.back, self.relation)

    def validations(self) -> list[Statement]:
        return [Statement(f"{self._table} VALIDATE CONSTRAINT {quote(self.name)}", "")]

    def using_index(self) -> Statement:
        added = f"{self._table} ADD CONSTRAINT {quote(self.name)} UNIQUE USING INDEX"
        return Statement(f"{added} {quote(self.name)}", self.back)


class NarrowedCheck(Statement):
    """Replaces a CHECK with one that accepts fewer values."""

    def __init__(self, old: ConstraintStatement, new: ConstraintStatement) -> None:
        forward, back = f"{old.back}, {new.addition}", f"{new.back}, {old.addition}"
        super().__init__(forward, back, new.relation)
        unvalidated = Statement(f"{forward} NOT VALID", back, new.relation)
        self.steps: tuple[Sequence[Operation], ...] = [unvalidated], new.validations()


def reversed_operations(operations: Sequence[Any]) -> list[Operation]:
    """The reverse of operations; a docstring if there is nothing to reverse."""
    reversals = [one.reverse() for one in reversed(operations)]
    return [one for one in reversals if not isinstance(one, Note)] or reversals[:1]


def qualified(schema: str, name: str) -> str:
    return ".".join(quote(part) for part in (schema, name) if part)

"""A revision that a proof adds to a project."""

from dataclasses import dataclass
from textwrap import indent

TEMPLATE = '''"""{name}"""

from alembic import op
{imports}
revision = "{revision}"
down_revision = "{below}"
maintenance = "{maintenance}"
phase = "{phase}"
irreversible = "It is only rehearsed."


def upgrade() -> None:
{upgrade}


def downgrade() -> None:
    raise NotImplementedError
'''
HELPERS = """
from chassis.migrations.operations import backfill, create_index_concurrently
"""
CONCURRENTLY = 'create_index_concurrently("ix_todos_slug", "todos", ["slug"])'
PLAIN_CONCURRENTLY = """with op.get_context().autocommit_block():
    op.create_index("ix_todos_slug", "todos", ["slug"], postgresql_concurrently=True)
"""


@dataclass(frozen=True, slots=True)
class Revision:
    name: str
    maintenance: str
    statements: tuple[str, ...] = ()
    phase: str = "expand"
    call: str = CONCURRENTLY  # Of a function of chassis.migrations.operations.

    def text(self, revision: str, below: str, *, plain: bool) -> str:
        """`plain` is what Alembic offers by itself."""
        if self.statements:
            body, imports = "\n".join(f"op.execute({sql!r})" for sql in self.statements), ""
        else:
            body, imports = (PLAIN_CONCURRENTLY, "") if plain else (self.call, HELPERS)
        return TEMPLATE.format(
            name=self.name,
            imports=imports,
            revision=revision,
            below=below,
            maintenance=self.maintenance,
            phase=self.phase,
            upgrade=indent(body.strip(), "    "),
        )

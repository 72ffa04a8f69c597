"""Create todos"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
maintenance = "none"
phase = "expand"
measured = {
    "checksum": "08d23965028c5f62aa4e240699ce716ab1bf596071b61da53bb241382a5405a4",
    "upgrade": {},
    "downgrade": {
        "todos": "AccessExclusiveLock",
    },
    "downgrade_maintenance": "none",
}


def upgrade() -> None:
    op.create_table(
        "todos",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_todos")),
    )
    op.create_index(op.f("ix_todos_title_id"), "todos", ["title", "id"], unique=False)


def downgrade() -> None:
    op.drop_table("todos")

"""Create todos"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
maintenance = "none"
phase = "expand"
measured = {
    "checksum": "0915a29f882e4abccc39b978c8f2cda8d59011f6027b60979c5e30a23f236f35",
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
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("char_length(title) >= 1", name=op.f("ck_todos_title")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_todos")),
    )
    op.create_index(op.f("ix_todos_title_id"), "todos", ["title", "id"], unique=False)


def downgrade() -> None:
    op.drop_table("todos")

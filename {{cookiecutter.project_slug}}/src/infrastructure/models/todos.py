from sqlalchemy import Column, DateTime, Index, Integer, String, Table, Uuid

from src.domain.constants import TODO_TITLE_LENGTH
from src.infrastructure.databases.metadata import metadata

todos = Table(
    "todos",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("title", String(TODO_TITLE_LENGTH), nullable=False),
    Column("completed_at", DateTime(timezone=True)),
    Column("version", Integer, nullable=False),
    Index(None, "title", "id"),  # Serves lists that are sorted by title.
)

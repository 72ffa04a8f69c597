from sqlalchemy import Index, Table

from chassis.postgres.columns import columns
from src.domain.models.todo import Todo
from src.infrastructure.databases.metadata import metadata

todos = Table(
    "todos",
    metadata,
    *columns(Todo),
    Index(None, "title", "id"),
)

from sqlalchemy import Table, UniqueConstraint

from chassis.postgres.columns import columns
from src.domain.models.tag import Tag
from src.infrastructure.databases.metadata import metadata

tags = Table("tags", metadata, *columns(Tag), UniqueConstraint("name"))

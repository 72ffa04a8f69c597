from sqlalchemy import Index, Table, UniqueConstraint

from chassis.postgres.columns import columns
from src.domain.models.customer import Customer
from src.infrastructure.databases.metadata import metadata

customers = Table(
    "customers",
    metadata,
    *columns(Customer),
    UniqueConstraint("email"),
    Index(None, "tier"),
    Index(None, "name", "id"),
    Index("ix_customers_name_prefix", "name", postgresql_ops={"name": "text_pattern_ops"}),
)

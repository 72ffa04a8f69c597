from sqlalchemy import Column, ForeignKey, Index, Table, UniqueConstraint

from chassis.postgres.columns import columns
from src.domain.models.product import Product
from src.infrastructure.databases.metadata import metadata
from src.infrastructure.models.tags import tags

products = Table(
    "products",
    metadata,
    *columns(Product),
    UniqueConstraint("sku"),
    Index(None, "price", "id"),
)
product_tags = Table(
    "product_tags",
    metadata,
    Column("product_id", ForeignKey(products.c.id, ondelete="CASCADE"), primary_key=True),
    Column("tag_id", ForeignKey(tags.c.id), primary_key=True, index=True),
)

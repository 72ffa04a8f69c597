from sqlalchemy import (
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
)

from chassis.postgres.columns import columns
from src.domain.models.order import Order, OrderLine
from src.infrastructure.databases.metadata import metadata
from src.infrastructure.models.customers import customers
from src.infrastructure.models.products import products

orders = Table(
    "orders",
    metadata,
    *columns(Order),
    ForeignKeyConstraint(["customer_id"], [customers.c.id]),
    Index(None, "customer_id"),
    Index(None, "owner", "id"),
    Index(None, "status"),
    Index(None, "total", "id"),
    Index(None, "created_at", "id"),
)
order_lines = Table(
    "order_lines",
    metadata,
    Column("order_id", ForeignKey(orders.c.id, ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    *columns(OrderLine),
    ForeignKeyConstraint(["product_id"], [products.c.id]),
    Index(None, "product_id"),
)

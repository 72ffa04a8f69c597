from chassis.postgres.children import Children
from chassis.postgres.sql_repository import SqlRepository
from src.domain.models.order import Order, OrderLine
from src.infrastructure.models.orders import order_lines


class OrderRepository(SqlRepository[Order]):
    children = (Children("lines", order_lines, OrderLine),)

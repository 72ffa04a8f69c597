from sqlalchemy import Connection

from chassis.postgres.unit_of_work_factory import SqlWork
from src.domain.models.customer import Customer
from src.domain.models.order import Order
from src.domain.models.product import Product
from src.domain.models.tag import Tag
from src.infrastructure.models.customers import customers
from src.infrastructure.models.orders import orders
from src.infrastructure.models.products import products
from src.infrastructure.models.tags import tags
from src.infrastructure.repositories.order_repository import OrderRepository
from src.infrastructure.repositories.product_repository import ProductRepository
from src.services.ports import UnitOfWork


class SqlUnitOfWork(SqlWork, UnitOfWork):
    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.customers = self.repository(customers, Customer)
        self.tags = self.repository(tags, Tag)
        self.products = ProductRepository(connection, products, Product, self.clock)
        self.orders = OrderRepository(connection, orders, Order, self.clock)

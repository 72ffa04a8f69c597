from chassis.postgres.children import Children
from chassis.postgres.sql_repository import SqlRepository
from src.domain.models.product import Product
from src.infrastructure.models.products import product_tags


class ProductRepository(SqlRepository[Product]):
    children = (Children("tag_ids", product_tags),)

from chassis.schemas import fields
from chassis.schemas.base import Schema
from src.domain.models.product import Product


class ProductOutput(Schema):
    """What was `sku` is `code`, and whether there is any is said, not how much."""

    id = fields.of(Product, "id", required=True)
    code = fields.of(Product, "sku", attribute="sku", required=True)
    price = fields.of(Product, "price", required=True)
    available = fields.Boolean(required=True)
    version = fields.of(Product, "version", required=True)

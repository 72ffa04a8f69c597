from chassis.schemas import fields, filters
from chassis.schemas.base import Schema
from chassis.schemas.sort import Sort
from src.api.requests import PageArguments
from src.domain.models.product import Product


class ProductInput(Schema):
    sku = fields.of(Product, "sku", required=True)
    price = fields.of(Product, "price", required=True)
    stock = fields.of(Product, "stock")
    attributes = fields.of(Product, "attributes")
    tag_ids = fields.List(fields.UUID(), max_length=20)


class ProductOutput(Schema):
    id = fields.of(Product, "id", required=True)
    sku = fields.of(Product, "sku", required=True)
    price = fields.of(Product, "price", required=True)
    stock = fields.of(Product, "stock", required=True)
    attributes = fields.of(Product, "attributes", required=True)
    tag_ids = fields.List(fields.UUID(), required=True)
    version = fields.of(Product, "version", required=True)


class ProductQuery(PageArguments):
    sort = Sort(Product, "sku", "price")
    sku = filters.equal(Product, "sku")
    price_from = filters.at_least(Product, "price")
    price_to = filters.at_most(Product, "price")


class ProductPage(Schema):
    items = fields.List(fields.Nested(ProductOutput), required=True)
    next = fields.Cursor(required=True, allow_none=True)

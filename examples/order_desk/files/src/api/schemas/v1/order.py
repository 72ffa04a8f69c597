from chassis.schemas import fields, filters
from chassis.schemas.base import Schema
from chassis.schemas.sort import Sort
from src.api.requests import PageArguments
from src.domain.models.customer import Customer
from src.domain.models.order import MOST_LINES, Order, OrderLine


class OrderLineInput(Schema):
    product_id = fields.of(OrderLine, "product_id", required=True)
    quantity = fields.of(OrderLine, "quantity", required=True)


class OrderInput(Schema):
    customer_id = fields.of(Order, "customer_id", required=True)
    lines = fields.List(
        fields.Nested(OrderLineInput), min_length=1, max_length=MOST_LINES, required=True
    )


class StatusInput(Schema):
    status = fields.of(Order, "status", required=True)


class OrderLineOutput(Schema):
    product_id = fields.of(OrderLine, "product_id", required=True)
    quantity = fields.of(OrderLine, "quantity", required=True)
    unit_price = fields.of(OrderLine, "unit_price", required=True)


class OrderOutput(Schema):
    id = fields.of(Order, "id", required=True)
    customer_id = fields.of(Order, "customer_id", required=True)
    status = fields.of(Order, "status", required=True)
    total = fields.of(Order, "total", required=True)
    lines = fields.List(fields.Nested(OrderLineOutput), required=True)
    created_at = fields.of(Order, "created_at", required=True)
    updated_at = fields.of(Order, "updated_at", required=True)
    version = fields.of(Order, "version", required=True)


class OrderQuery(PageArguments):
    sort = Sort(Order, "total", "created_at")
    status = filters.one_of(Order, "status")
    total_from = filters.at_least(Order, "total")
    placed_from = filters.at_least(Order, "created_at")
    placed_to = filters.at_most(Order, "created_at")
    customer_tier = filters.related(Order, "customer_id", Customer, "tier")


class OrderPage(Schema):
    items = fields.List(fields.Nested(OrderOutput), required=True)
    next = fields.Cursor(required=True, allow_none=True)

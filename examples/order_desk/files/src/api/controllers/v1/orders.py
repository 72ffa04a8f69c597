from functools import partial
from typing import Annotated, Any
from uuid import UUID

from dependency_injector.wiring import Provide, inject
from flask import url_for

from chassis.core.paging import PageQuery
from chassis.http.flow.blueprint import Blueprint
from chassis.http.output.pages import page
from src.api.requests import subject
from src.api.responses import created
from src.api.schemas.v1.order import OrderInput, OrderOutput, OrderPage, OrderQuery, StatusInput
from src.domain.models.order import Order
from src.services.order_service import OrderService

blueprint = Blueprint("orders", __name__, url_prefix="")

Orders = Annotated[OrderService, Provide["order_service"]]


@blueprint.get("/orders")
@blueprint.requires("orders:read")
@blueprint.arguments(OrderQuery, location="query")
@blueprint.response(200, OrderPage)
@inject
def list_orders(query: PageQuery, orders: Orders) -> dict[str, Any]:
    """List one's own orders."""
    return page(partial(orders.page, owner=subject()), query)


@blueprint.get("/customers/<uuid:customer_id>/orders")
@blueprint.requires("orders:read")
@blueprint.arguments(OrderQuery, location="query")
@blueprint.response(200, OrderPage)
@inject
def list_orders_of_customer(query: PageQuery, customer_id: UUID, orders: Orders) -> dict[str, Any]:
    """List one's own orders for a customer."""
    return page(partial(orders.page_of, customer_id, owner=subject()), query)


@blueprint.post("/orders")
@blueprint.requires("orders:write")
@blueprint.arguments(OrderInput)
@blueprint.response(201, OrderOutput)
@inject
def place_order(body: dict[str, Any], orders: Orders) -> tuple[Order, dict[str, str]]:
    """Place an order: its products are taken from stock, all or none."""
    order = orders.place(**body, owner=subject())
    return created(order, url_for(".read_order", order_id=order.id))


@blueprint.get("/orders/<uuid:order_id>")
@blueprint.requires("orders:read")
@blueprint.response(200, OrderOutput)
@inject
def read_order(order_id: UUID, orders: Orders) -> Order:
    """Read one order."""
    return orders.read(order_id, owner=subject())


@blueprint.post("/orders/<uuid:order_id>/status")
@blueprint.requires("orders:write")
@blueprint.arguments(StatusInput)
@blueprint.response(200, OrderOutput)
@inject
def change_status(body: dict[str, Any], order_id: UUID, orders: Orders) -> Order:
    """Give an order the status that follows its own; what is cancelled goes back into stock."""
    return orders.become(order_id, body["status"], owner=subject())

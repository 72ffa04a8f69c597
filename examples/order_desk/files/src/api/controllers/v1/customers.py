from typing import Annotated, Any
from uuid import UUID

from dependency_injector.wiring import Provide, inject
from flask import url_for

from chassis.core.paging import PageQuery
from chassis.http.flow.blueprint import Blueprint
from chassis.http.output.pages import page
from src.api.responses import created
from src.api.schemas.v1.customer import (
    CustomerInput,
    CustomerOutput,
    CustomerPage,
    CustomerQuery,
)
from src.domain.models.customer import Customer
from src.services.customer_service import CustomerService

blueprint = Blueprint("customers", __name__, url_prefix="/customers")

Customers = Annotated[CustomerService, Provide["customer_service"]]


@blueprint.get("")
@blueprint.requires("customers:read")
@blueprint.arguments(CustomerQuery, location="query")
@blueprint.response(200, CustomerPage)
@inject
def list_customers(query: PageQuery, customers: Customers) -> dict[str, Any]:
    """List customers."""
    return page(customers.page, query)


@blueprint.post("")
@blueprint.requires("customers:write")
@blueprint.arguments(CustomerInput)
@blueprint.response(201, CustomerOutput)
@inject
def create_customer(body: dict[str, Any], customers: Customers) -> tuple[Customer, dict[str, str]]:
    """Create a customer."""
    customer = customers.create(**body)
    return created(customer, url_for(".read_customer", customer_id=customer.id))


@blueprint.get("/<uuid:customer_id>")
@blueprint.requires_any("customers:read", "customers:write")
@blueprint.response(200, CustomerOutput)
@inject
def read_customer(customer_id: UUID, customers: Customers) -> Customer:
    """Read one customer."""
    return customers.read(customer_id)


@blueprint.patch("/<uuid:customer_id>")
@blueprint.requires("customers:write")
@blueprint.arguments(CustomerInput(partial=True))
@blueprint.response(200, CustomerOutput)
@inject
def change_customer(body: dict[str, Any], customer_id: UUID, customers: Customers) -> Customer:
    """Change what is given of a customer."""
    return customers.change(customer_id, **body)


@blueprint.delete("/<uuid:customer_id>")
@blueprint.requires("customers:write")
@blueprint.response(204)
@inject
def delete_customer(customer_id: UUID, customers: Customers) -> None:
    """Delete a customer who has no orders."""
    customers.delete(customer_id)

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from dependency_injector.wiring import Provide, inject
from flask import url_for

from chassis.core.paging import PageQuery
from chassis.http.flow.blueprint import Blueprint
from chassis.http.output.deprecation import deprecated
from chassis.http.output.pages import page
from src.api.responses import created
from src.api.schemas.v1.product import (
    ProductInput,
    ProductOutput,
    ProductPage,
    ProductQuery,
)
from src.domain.models.product import Product
from src.services.product_service import ProductService

blueprint = Blueprint("products", __name__, url_prefix="/products")

Products = Annotated[ProductService, Provide["product_service"]]


@blueprint.get("")
@blueprint.public
@blueprint.arguments(ProductQuery, location="query")
@blueprint.response(200, ProductPage)
@inject
def list_products(query: PageQuery, products: Products) -> dict[str, Any]:
    """List products."""
    return page(products.page, query)


@blueprint.post("")
@blueprint.requires("products:write")
@blueprint.arguments(ProductInput)
@blueprint.response(201, ProductOutput)
@inject
def create_product(body: dict[str, Any], products: Products) -> tuple[Product, dict[str, str]]:
    """Create a product."""
    product = products.create(**body)
    return created(product, url_for(".read_product", product_id=product.id))


@blueprint.get("/<uuid:product_id>")
@deprecated(date(2026, 7, 1), sunset=date(2027, 7, 1))
@blueprint.public
@blueprint.response(200, ProductOutput)
@inject
def read_product(product_id: UUID, products: Products) -> Product:
    """Read one product."""
    return products.read(product_id)


@blueprint.patch("/<uuid:product_id>")
@blueprint.requires("products:write")
@blueprint.arguments(ProductInput(partial=True))
@blueprint.response(200, ProductOutput)
@inject
def change_product(body: dict[str, Any], product_id: UUID, products: Products) -> Product:
    """Change what is given of a product."""
    return products.change(product_id, **body)


@blueprint.delete("/<uuid:product_id>")
@blueprint.requires("products:write")
@blueprint.response(204)
@inject
def delete_product(product_id: UUID, products: Products) -> None:
    """Delete a product that is in no order."""
    products.delete(product_id)

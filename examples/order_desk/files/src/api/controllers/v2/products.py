from typing import Annotated
from uuid import UUID

from dependency_injector.wiring import Provide, inject

from chassis.http.flow.blueprint import Blueprint
from src.api.schemas.v2.product import ProductOutput
from src.domain.models.product import Product
from src.services.product_service import ProductService

blueprint = Blueprint("products", __name__, url_prefix="/products")

Products = Annotated[ProductService, Provide["product_service"]]


@blueprint.get("/<uuid:product_id>")
@blueprint.public
@blueprint.response(200, ProductOutput)
@inject
def read_product(product_id: UUID, products: Products) -> Product:
    """Read one product."""
    return products.read(product_id)

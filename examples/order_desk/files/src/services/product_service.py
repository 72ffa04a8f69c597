from typing import Any
from uuid import UUID

from chassis.core.paging import PageQuery
from src.domain.models.product import Product
from src.services.ports import UnitOfWorkFactory


class ProductService:
    """Each method raises what UnitOfWorkFactory, Repository and Product raise."""

    def __init__(self, unit_of_work: UnitOfWorkFactory) -> None:
        self._unit_of_work = unit_of_work

    def page(self, query: PageQuery) -> list[Product]:
        with self._unit_of_work(read_only=True) as work:
            return work.products.page(query)

    def create(self, **values: Any) -> Product:
        product = Product(**values)
        with self._unit_of_work() as work:
            work.products.add(product)
        return product

    def read(self, product_id: UUID) -> Product:
        with self._unit_of_work(read_only=True) as work:
            return work.products.get(product_id)

    def change(self, product_id: UUID, **values: Any) -> Product:
        with self._unit_of_work() as work:
            product = work.products.get(product_id)
            product.change(**values)
            work.products.save(product)
        return product

    def delete(self, product_id: UUID) -> None:
        with self._unit_of_work() as work:
            work.products.remove(work.products.get(product_id))

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from chassis.core.errors import NotFoundError, ValidationError
from chassis.core.paging import PageQuery
from src.domain.models.order import Order, OrderLine, Status
from src.domain.models.product import Product
from src.services.ports import Mailer, UnitOfWork, UnitOfWorkFactory


class OrderService:
    """An order is its owner's: to anybody else it does not exist.

    Each method raises what UnitOfWorkFactory, Repository and Order raise.
    """

    def __init__(self, unit_of_work: UnitOfWorkFactory, mailer: Mailer) -> None:
        self._unit_of_work = unit_of_work
        self._mailer = mailer

    def page(self, query: PageQuery, *, owner: str) -> list[Order]:
        with self._unit_of_work(read_only=True) as work:
            return work.orders.where(owner=owner).page(query)

    def page_of(self, customer_id: UUID, query: PageQuery, *, owner: str) -> list[Order]:
        with self._unit_of_work(read_only=True) as work:
            if not work.customers.exists(customer_id):
                raise NotFoundError(f"There is no customer {customer_id}.")
            return work.orders.where(owner=owner, customer_id=customer_id).page(query)

    def read(self, order_id: UUID, *, owner: str) -> Order:
        with self._unit_of_work(read_only=True) as work:
            return work.orders.where(owner=owner).get(order_id)

    def place(self, customer_id: UUID, lines: Sequence[dict[str, Any]], *, owner: str) -> Order:
        """Take the products from stock, all or none. Raise ConflictError if there are too few."""
        with self._unit_of_work() as work:
            products = work.products.get_many((line["product_id"] for line in lines), lock=True)
            placed = [_taken(products, number, **line) for number, line in enumerate(lines)]
            order = Order(customer_id=customer_id, owner=owner, lines=placed)
            work.orders.add(order)
            for product in products.values():
                work.products.save(product)
            email = work.customers.get(customer_id).email
            text = f"{len(lines)} lines, {order.total} in all."
            work.after_commit(lambda: self._mailer.send(email, f"Order {order.id}", text))
        return order

    def become(self, order_id: UUID, status: Status, *, owner: str) -> Order:
        with self._unit_of_work() as work:
            orders = work.orders.where(owner=owner)
            order = orders.get(order_id, lock=True)
            order.become(status)
            orders.save(order)
            if status is Status.CANCELLED:
                _give_back(work, order)
        return order


def _taken(
    products: dict[UUID, Product], number: int, *, product_id: UUID, quantity: int
) -> OrderLine:
    product = products.get(product_id)
    if product is None:
        raise ValidationError("There is no such product.", field=f"lines/{number}/product_id")
    product.take(quantity)
    return OrderLine(product_id=product_id, quantity=quantity, unit_price=product.price)


def _give_back(work: UnitOfWork, order: Order) -> None:
    products = work.products.get_many((line.product_id for line in order.lines), lock=True)
    for line in order.lines:
        products[line.product_id].stock += line.quantity
    for product in products.values():
        work.products.save(product)

from typing import Any
from uuid import UUID

from chassis.core.paging import PageQuery
from src.domain.models.customer import Customer
from src.services.ports import UnitOfWorkFactory


class CustomerService:
    """Each method raises what UnitOfWorkFactory, Repository and Customer raise."""

    def __init__(self, unit_of_work: UnitOfWorkFactory) -> None:
        self._unit_of_work = unit_of_work

    def page(self, query: PageQuery) -> list[Customer]:
        with self._unit_of_work(read_only=True) as work:
            return work.customers.page(query)

    def create(self, **values: Any) -> Customer:
        customer = Customer(**values)
        with self._unit_of_work() as work:
            work.customers.add(customer)
        return customer

    def read(self, customer_id: UUID) -> Customer:
        with self._unit_of_work(read_only=True) as work:
            return work.customers.get(customer_id)

    def change(self, customer_id: UUID, **values: Any) -> Customer:
        with self._unit_of_work() as work:
            customer = work.customers.get(customer_id)
            customer.change(**values)
            work.customers.save(customer)
        return customer

    def delete(self, customer_id: UUID) -> None:
        with self._unit_of_work() as work:
            work.customers.remove(work.customers.get(customer_id))

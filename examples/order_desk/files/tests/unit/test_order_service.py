from decimal import Decimal
from unittest import TestCase

from chassis.core.errors import ConflictError, DuplicateError, ValidationError
from chassis.core.identity import uuid7
from chassis.development.testing.memory import MemoryUnitOfWorkFactory
from src.domain.models.order import Status
from src.services.customer_service import CustomerService
from src.services.order_service import OrderService
from src.services.ports import Mailer
from src.services.product_service import ProductService


class Mails(Mailer):
    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []

    def send(self, to: str, subject: str, text: str) -> None:
        del subject
        self.sent.append((to, text))


class OrderServiceTest(TestCase):
    def setUp(self) -> None:
        units, self.mails = MemoryUnitOfWorkFactory(), Mails()
        self.orders, self.products = OrderService(units, self.mails), ProductService(units)
        self.customers = CustomerService(units)
        self.customer = self.customers.create(name="Ann", email="ann@example.org")
        self.product = self.products.create(sku="a", price=Decimal("2.50"), stock=3)
        self.lines = [{"product_id": self.product.id, "quantity": 2}]

    def test_a_customer_is_told_when_the_order_is_stored(self) -> None:
        self.orders.place(self.customer.id, self.lines, owner="me")
        self.assertEqual(self.mails.sent, [("ann@example.org", "1 lines, 5.00 in all.")])
        with self.assertRaises(ConflictError):
            self.orders.place(self.customer.id, self.lines, owner="me")
        self.assertEqual(len(self.mails.sent), 1)
        self.assertEqual(self.products.read(self.product.id).stock, 1)

    def test_what_does_not_exist_is_not_ordered_and_what_is_ordered_not_deleted(self) -> None:
        with self.assertRaises(ValidationError) as raised:
            self.orders.place(uuid7(), self.lines, owner="me")
        self.assertEqual(raised.exception.field, "customer_id")
        order = self.orders.place(self.customer.id, self.lines, owner="me")
        with self.assertRaises(ConflictError):
            self.customers.delete(self.customer.id)
        self.orders.become(order.id, Status.CANCELLED, owner="me")
        self.assertEqual(self.products.read(self.product.id).stock, 3)

    def test_an_address_is_taken_once(self) -> None:
        with self.assertRaises(DuplicateError):
            self.customers.create(name="Other", email="ANN@example.org")

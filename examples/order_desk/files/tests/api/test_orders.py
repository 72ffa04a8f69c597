from collections import Counter
from threading import Thread
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from chassis.core.errors import CollisionError
from chassis.development.testing.bearer import bearer
from chassis.development.testing.http_cases import ApplicationTestCase
from src.services.order_service import OrderService
from src.services.ports import Mailer

BASE = "/prefix/v1"


class Mails(Mailer):
    def __init__(self) -> None:
        self.sent: list[str] = []
        self.fails = False

    def send(self, to: str, subject: str, text: str) -> None:
        del subject, text
        if self.fails:
            raise OSError("Nobody listens.")
        self.sent.append(to)


class OrdersTest(ApplicationTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.mails = Mails()
        orders: Any = self.client.application.extensions["container"].order_service()
        self.enterContext(patch.object(orders, "_mailer", self.mails))
        self.customer = self.create("customers", name="Ann", email="Ann@Example.org")
        self.product = self.create("products", sku="a", price="2.50", stock=10)

    def create(self, kind: str, **body: Any) -> Any:
        answer = self.client.post(f"{BASE}/{kind}", json=body)
        self.assertEqual(answer.status_code, 201, answer.text)
        return answer.get_json()

    def place(self, quantity: int = 1, client: Any = None, **headers: str) -> Any:
        lines = [{"product_id": self.product["id"], "quantity": quantity}]
        body = {"customer_id": self.customer["id"], "lines": lines}
        return (client or self.client).post(f"{BASE}/orders", json=body, headers=headers)

    def stock(self) -> int:
        product = self.client.get(f"{BASE}/products/{self.product['id']}").get_json()
        return int(product["stock"])

    def listed(self, path: str, **arguments: Any) -> list[str]:
        answer = self.client.get(f"{BASE}/{path}", query_string=arguments)
        self.assertEqual(answer.status_code, 200, answer.text)
        return [item["id"] for item in answer.get_json()["items"]]

    def test_an_order_takes_from_stock_and_tells_the_customer(self) -> None:
        order = self.place(3).get_json()
        self.assertEqual((order["status"], order["total"]), ("placed", "7.50"))
        self.assertEqual(order["lines"][0]["unit_price"], "2.50")
        self.assertEqual((self.stock(), self.mails.sent), (7, ["ann@example.org"]))

    def test_what_is_not_there_is_not_sold(self) -> None:
        problem = self.assert_problem(self.place(11), 409, "conflict")
        self.assertEqual(problem["detail"], "Of a there are 10 left.")
        self.assertEqual((self.stock(), self.mails.sent, self.listed("orders")), (10, [], []))

    def test_a_product_or_customer_that_is_not_there_is_named(self) -> None:
        line = {"product_id": self.product["id"], "quantity": 1}
        stranger = {"product_id": str(uuid4()), "quantity": 1}
        for customer, lines, pointer in (
            (self.customer["id"], [line, stranger], "/lines/1/product_id"),
            (str(uuid4()), [line], "/customer_id"),
            (self.customer["id"], [], "/lines"),
            (self.customer["id"], [line] * 51, "/lines"),
        ):
            body = {"customer_id": customer, "lines": lines}
            answer = self.client.post(f"{BASE}/orders", json=body)
            [error] = self.assert_problem(answer, 422, "validation")["errors"]
            self.assertEqual(error["pointer"], pointer)
        self.assertEqual(self.stock(), 10)

    def test_a_mail_follows_the_commit_once(self) -> None:
        place, collisions = OrderService.place, iter([True, False])

        def colliding(service: OrderService, *values: Any, **named: Any) -> Any:
            order = place(service, *values, **named)
            if next(collisions):
                raise CollisionError("Another change was made at the same time.")
            return order

        key = {"Idempotency-Key": str(uuid4())}
        with patch.object(OrderService, "place", colliding):
            for _ in range(2):
                self.assertEqual(self.place(1, **key).status_code, 201)
        self.assertEqual((len(self.mails.sent), self.stock()), (1, 9))
        self.mails.fails = True
        with self.assertLogs("chassis.core.commit_hooks", "ERROR"):
            self.assertEqual(self.place().status_code, 201)

    def test_its_status_follows_a_way(self) -> None:
        path = self.place(4).headers["Location"]
        for status, code in (("shipped", 409), ("paid", 200), ("placed", 409), ("cancelled", 200)):
            answer = self.client.post(f"{path}/status", json={"status": status})
            self.assertEqual(answer.status_code, code, answer.text)
        self.assertEqual(self.stock(), 10)

    def test_what_is_referred_to_is_not_deleted(self) -> None:
        self.place()
        for path in (f"customers/{self.customer['id']}", f"products/{self.product['id']}"):
            answer = self.client.delete(f"{BASE}/{path}")
            detail = self.assert_problem(answer, 409, "conflict")["detail"]
            self.assertIn("order", detail)

    def test_orders_are_found(self) -> None:
        small, large = self.place(1).get_json()["id"], self.place(2).get_json()["id"]
        of_customer = f"customers/{self.customer['id']}/orders"
        self.client.post(f"{BASE}/orders/{large}/status", json={"status": "paid"})
        for path in ("orders", of_customer):
            self.assertEqual(self.listed(path, sort="-total"), [large, small])
            self.assertEqual(self.listed(path, status="placed"), [small])
            self.assertEqual(self.listed(path, status=["placed", "paid"], total_from="3"), [large])
            self.assertEqual(len(self.listed(path, customer_tier="basic")), 2)
            self.assertEqual(self.listed(path, customer_tier="gold"), [])
        self.assert_problem(self.client.get(f"{BASE}/customers/{uuid4()}/orders"), 404, "not-found")

    def test_to_anybody_else_it_does_not_exist(self) -> None:
        path = self.place().headers["Location"]
        app = self.client.application
        stranger = app.test_client()
        stranger.environ_base["HTTP_AUTHORIZATION"] = bearer(app, subject="bob")
        self.assert_problem(stranger.get(path), 404, "not-found")
        for tag in ('"1"', '"9"'):
            answer = stranger.post(
                f"{path}/status", json={"status": "paid"}, headers={"If-Match": tag}
            )
            self.assert_problem(answer, 404, "not-found")
        self.assertEqual(stranger.get(f"{BASE}/orders").get_json()["items"], [])

    def test_the_last_ones_are_sold_once(self) -> None:
        answers: Counter[int] = Counter()

        def buy() -> None:
            app = self.client.application
            client = app.test_client()
            client.environ_base["HTTP_AUTHORIZATION"] = bearer(app)
            for _ in range(2):
                answers[self.place(1, client).status_code] += 1

        threads = [Thread(target=buy) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertLessEqual(answers.keys(), {201, 409, 503})
        self.assertEqual(self.stock(), 10 - answers[201])
        self.assertEqual(len(self.listed("orders", limit=100)), answers[201])
        self.assertEqual(len(self.mails.sent), answers[201])
        self.assertEqual(answers[201], 10)

    def test_an_address_is_unique_without_case(self) -> None:
        body = {"name": "Other", "email": "ANN@example.ORG"}
        answer = self.client.post(f"{BASE}/customers", json=body)
        self.assert_problem(answer, 409, "duplicate")
        self.assertEqual(len(self.listed("customers", email="ANN@EXAMPLE.ORG")), 1)
        self.assertEqual(len(self.listed("customers", name_prefix="A", tier="basic")), 1)

    def test_products_have_tags(self) -> None:
        tag = self.create("tags", name="new")
        path = f"{BASE}/products/{self.product['id']}"
        changed = self.client.patch(path, json={"tag_ids": [tag["id"]]}).get_json()
        self.assertEqual(changed["tag_ids"], [tag["id"]])
        answer = self.client.delete(f"{BASE}/tags/{tag['id']}")
        self.assertIn("product tags", self.assert_problem(answer, 409, "conflict")["detail"])
        answer = self.client.patch(path, json={"tag_ids": [str(uuid4())]})
        [error] = self.assert_problem(answer, 422, "validation")["errors"]
        self.assertEqual(error["pointer"], "/tag_ids")

    def test_two_versions_of_a_product(self) -> None:
        old, new = (
            self.client.get(f"/prefix/{version}/products/{self.product['id']}")
            for version in ("v1", "v2")
        )
        self.assertEqual((old.get_json()["sku"], new.get_json()["code"]), ("a", "a"))
        self.assertEqual((new.get_json()["available"], new.get_json().get("stock")), (True, None))
        self.assertIn("Sunset", old.headers)

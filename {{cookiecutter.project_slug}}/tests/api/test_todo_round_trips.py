from chassis.development.testing.http_cases import WireTestCase
from chassis.postgres.locks import fence_statement

TODOS = "/prefix/v1/todos"


class TodoRoundTripsTest(WireTestCase):
    def test_a_request_asks_the_database_for_no_more_than_it_needs(self) -> None:
        path = self.client.post(TODOS, json={"title": "first"}).headers["Location"]
        self.assert_asks(["SELECT todos."], lambda: self.client.get(path))
        self.assert_asks(["SELECT todos."], lambda: self.client.get(TODOS))
        self.assert_asks(
            [f"BEGIN; {fence_statement()} INSERT INTO todos", "COMMIT"],
            lambda: self.client.post(TODOS, json={"title": "second"}),
        )
        self.assert_asks(
            [f"BEGIN; {fence_statement()} SELECT todos.", "UPDATE todos", "COMMIT"],
            lambda: self.client.patch(path, json={"title": "changed"}),
        )

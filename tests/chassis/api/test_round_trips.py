"""Counts a request's round trips to the database: one is the least."""

from typing import Any
from uuid import uuid4

from api.specimens import SPECIMENS, SpecimenApiTestCase, SpecimenPage, repository
from chassis.core.paging import PageQuery
from chassis.development.testing.http_cases import WireTestCase
from chassis.http.flow.blueprint import Blueprint
from chassis.http.output.pages import page
from chassis.postgres.locks import fence_statement
from src.api.requests import PageArguments

# Messages that go with a write's first statement, and that end its transaction.
BEGIN, COMMIT = f"BEGIN; {fence_statement()}", "COMMIT"


class RoundTripsTest(WireTestCase, SpecimenApiTestCase):
    def blueprint(self) -> Blueprint:
        blueprint = super().blueprint()

        @blueprint.get("")
        @blueprint.public
        @blueprint.arguments(PageArguments, location="query")
        @blueprint.response(200, SpecimenPage)
        def list_specimens(query: PageQuery) -> dict[str, Any]:
            with self.units(read_only=True) as work:
                return page(repository(work).page, query)

        return blueprint

    def setUp(self) -> None:
        super().setUp()
        self.path = self.create("first").headers["Location"]
        self.create("second")

    def test_a_read_is_one(self) -> None:
        self.assert_asks(["SELECT specimens."], lambda: self.client.get(self.path))

    def test_a_list_is_one(self) -> None:
        first = f"{SPECIMENS}?limit=1"
        self.assert_asks(["SELECT specimens."], lambda: self.client.get(first))
        second = f"{first}&cursor={self.client.get(first).get_json()['next']}"
        self.assert_asks(["SELECT specimens."], lambda: self.client.get(second))

    def test_a_write_is_one_a_statement_and_one_at_its_end(self) -> None:
        self.assert_asks([f"{BEGIN} INSERT INTO specimens", COMMIT], lambda: self.create("third"))
        self.assert_asks(
            [f"{BEGIN} SELECT specimens.", "UPDATE specimens", COMMIT],
            lambda: self.client.patch(self.path, json={"text": "changed"}),
        )
        self.assert_asks(
            [f"{BEGIN} SELECT specimens.", "DELETE FROM specimens", COMMIT],
            lambda: self.client.delete(self.path),
        )

    def test_a_key_costs_six_more_and_its_answer_is_three(self) -> None:
        key = {"Idempotency-Key": str(uuid4())}
        find = [f"{BEGIN} SELECT pg_advisory_xact_lock", "SELECT fingerprint"]
        keep = ["DELETE FROM ops.idempotency_key", "INSERT INTO ops.idempotency_key"]
        served = ["SAVEPOINT", "INSERT INTO specimens", "RELEASE SAVEPOINT"]
        self.assert_asks([*find, *served, *keep, COMMIT], lambda: self.create("third", **key))
        self.assert_asks([*find, COMMIT], lambda: self.create("third", **key))

    def test_the_poll_of_the_maintenance_state_is_one_more_now_and_then(self) -> None:
        service = self.client.application.extensions["container"].maintenance_service()
        for until, polls in ((0, 1), (float("inf"), 0)):
            service._cached_until = until
            self.assert_asks(["SELECT specimens."], lambda: self.client.get(self.path))
            self.assertEqual(self.wire.polls(), polls)

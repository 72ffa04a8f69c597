"""Reads go to a streaming replica, on two real servers."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import Mock, patch

from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.test import TestResponse

from api.specimens import SPECIMENS, SpecimenApiTestCase
from chassis.core.errors import ConflictError
from chassis.core.read_positions import Positions
from chassis.core.request_scope import current_scope
from chassis.development.testing.bearer import bearer
from chassis.development.testing.http_cases import HttpTestCase
from chassis.http.access.policies import public
from chassis.http.flow.read_your_writes import READ_AFTER_HEADER
from support.replication import Standby, replicated_database
from support.windows import wait_until

WHICH = "SELECT CASE WHEN pg_is_in_recovery() THEN 'standby' ELSE 'primary' END"
CONFLICT = """DO $$ BEGIN IF pg_is_in_recovery() THEN
    RAISE 'conflict with recovery' USING ERRCODE = '40001'; END IF; END $$"""


class ReplicaTest(SpecimenApiTestCase):
    standby: Standby
    statements: tuple[str, ...] = (WHICH,)

    @classmethod
    @contextmanager
    def database(cls) -> Iterator[str]:
        with replicated_database() as (url, cls.standby):
            yield url

    def setUp(self) -> None:
        self.enterContext(patch("chassis.postgres.replica.PAUSE_SECONDS", 0.2))
        super().setUp()
        app = self.client.application
        self.bob = app.test_client()
        self.bob.environ_base["HTTP_AUTHORIZATION"] = bearer(app, subject="bob")
        self.asked: list[str] = []
        engines = app.extensions["container"].engines()
        for name in ("write", "read", "replica"):
            event.listen(getattr(engines, name), "before_cursor_execute", self.noting(name))

        @app.route("/ask", methods=["GET", "POST"])
        @public
        def ask() -> str:
            with self.units(read_only=True) as work:
                for statement in self.statements:
                    result = work.connection.exec_driver_sql(statement)
            return str(result.scalar_one())

        self.standby.resume()

    def start(self, **settings: Any) -> FlaskClient:
        return super().start(**{"database_read_url": self.standby.url, **settings})

    def noting(self, name: str) -> Any:
        return lambda *_: self.asked.append(name)

    def ask(self, client: FlaskClient, *statements: str) -> str:
        self.statements = (*statements, WHICH)
        response = client.get("/ask")
        self.assertEqual(response.status_code, 200, response.text)
        return response.text

    def read(self, client: FlaskClient, created: TestResponse, **headers: str) -> int:
        return client.get(created.location, headers=headers).status_code

    def test_reads_are_the_standbys_and_writes_the_primarys(self) -> None:
        self.assertEqual(self.ask(self.client), "standby")
        self.assertEqual(self.asked, ["replica"])
        self.asked.clear()
        self.assertEqual(self.create().status_code, 201)
        self.assertEqual(self.asked, ["write"])  # One query for the row, none for the position.
        self.assertEqual(self.client.post("/ask").text, "primary")

    def test_outside_of_requests_and_after_a_write_reads_are_the_primarys(self) -> None:
        def which() -> Any:
            with self.units(read_only=True) as work:
                return work.connection.exec_driver_sql(WHICH).scalar_one()

        self.assertEqual(which(), "primary")
        current_scope().positions = Positions(needed=0)
        self.addCleanup(setattr, current_scope(), "positions", None)
        self.assertEqual(which(), "standby")
        with self.units():
            pass
        self.assertEqual(which(), "primary")

    def test_what_follows_a_write_is_a_transaction_again(self) -> None:
        self.create("kept")
        self.before_commit = Mock(side_effect=ConflictError("Taken back."))
        self.assertEqual(self.create("lost").status_code, 409)
        self.assertEqual(self.texts(), ["kept"])

    def test_who_wrote_reads_from_the_primary_if_its_position_is_not_known(self) -> None:
        with patch("chassis.postgres.replica.WRITTEN", "SELECT 1 / 0"):
            self.assertEqual(self.create().status_code, 201)
        self.assertEqual(self.ask(self.client), "primary")
        self.assertEqual(self.ask(self.bob), "standby")

    def test_who_wrote_sees_it_and_others_see_what_the_standby_has(self) -> None:
        self.standby.pause()
        self.addCleanup(self.standby.resume)
        created = self.create()
        self.assertEqual(self.read(self.client, created), 200)
        self.assertEqual(self.read(self.bob, created), 404)
        position = {READ_AFTER_HEADER: created.headers[READ_AFTER_HEADER]}
        self.assertEqual(self.read(self.bob, created, **position), 200)
        self.assertEqual(self.ask(self.client), "primary")
        self.assertEqual(self.ask(self.bob), "standby")
        self.standby.resume()
        self.assertEqual(self.ask(self.client), "standby")
        self.assertEqual(self.read(self.bob, created), 200)

    def test_a_position_is_asked_for_until_it_is_known(self) -> None:
        self.create()
        self.standby.resume()
        self.asked.clear()
        self.ask(self.client)
        self.assertEqual(self.asked, ["replica"] * 2)
        self.ask(self.client)
        self.assertEqual(self.asked, ["replica"] * 3)

    def test_an_answer_that_is_repeated_has_a_position(self) -> None:
        first, again = (self.create(**{"Idempotency-Key": "k"}) for _ in range(2))
        self.assertEqual(again.headers["Idempotent-Replayed"], "true")
        positions = [int(answer.headers[READ_AFTER_HEADER]) for answer in (first, again)]
        self.assertEqual(positions, sorted(positions))
        self.assertNotIn(READ_AFTER_HEADER, self.client.get("/ask").headers)

    def test_without_the_standby_the_primary_answers(self) -> None:
        self.assertEqual(self.ask(self.client), "standby")
        self.units._replica._breaker._pause = 0
        self.standby.stop()
        try:
            # The first request loses its connection; the connection of the second is rejected.
            for client in (self.client, self.bob):
                self.assertEqual(self.ask(client), "primary")
            self.assertEqual(self.create().status_code, 201)
        finally:
            self.standby.start()
        wait_until(lambda: self.ask(self.bob) == "standby")

    def test_what_the_standby_cannot_do_the_primary_does(self) -> None:
        self.assertEqual(self.ask(self.client, CONFLICT), "primary")
        wait_until(lambda: self.ask(self.client) == "standby")
        self.assertEqual(self.ask(self.client), "standby")
        self.standby.pause()
        self.addCleanup(self.standby.resume)
        with self.units() as work:
            work.connection.exec_driver_sql("CREATE TABLE fresh ()")
        self.assertEqual(self.ask(self.bob, "TABLE fresh"), "primary")

    def test_a_position_is_a_number(self) -> None:
        for sent in ("", "0/1A", "-1", "1" * 20, "1, 1"):
            with self.subTest(sent):
                response = self.client.get(SPECIMENS + "/x", headers={READ_AFTER_HEADER: sent})
                self.assertEqual(response.status_code, 404)
                response = self.client.get("/ask", headers={READ_AFTER_HEADER: sent})
                self.assert_problem(response, 400, "invalid-header")
        far = {READ_AFTER_HEADER: "9" * 19}
        self.assertEqual(self.client.get("/ask", headers=far).text, "primary")


class NoReplicaTest(HttpTestCase):
    def test_the_header_means_nothing(self) -> None:
        response = self.client.get("/health/live", headers={READ_AFTER_HEADER: "x"})
        self.assertEqual(response.status_code, 200)

import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from threading import Event
from typing import Any
from unittest import TestCase
from unittest.mock import patch
from uuid import uuid4

from flask.testing import FlaskClient
from sqlalchemy import create_engine

from api.specimens import SPECIMENS, SpecimenApiTestCase
from chassis.development.testing.security_table import shows
from chassis.http.flow.application import Application
from chassis.http.flow.fair_queue import FairSemaphore, RowSemaphores, queue_fairly
from support.specimens import Specimen
from support.windows import wait_until

LONG = 10.0


class FairSemaphoreTest(TestCase):
    def test_they_are_given_in_the_order_of_arrival(self) -> None:
        slots, served = FairSemaphore(1, LONG), list[int]()

        def wait(number: int) -> None:
            if slots.acquire():
                served.append(number)

        def waiting(threads: int) -> bool:
            return slots.waiting() == threads

        def has_served(threads: int) -> bool:
            return len(served) == threads

        slots.acquire()
        with ThreadPoolExecutor(3) as threads:
            for number in range(3):
                threads.submit(wait, number)
                wait_until(partial(waiting, number + 1))
            for number in range(3):
                slots.release()
                wait_until(partial(has_served, number + 1))
        self.assertEqual(served, [0, 1, 2])

    def test_who_gets_none_in_time_does_not_keep_one(self) -> None:
        slots = FairSemaphore(1, 0.01)
        self.assertTrue(slots.acquire())
        self.assertFalse(slots.acquire())
        slots.release()
        self.assertTrue(slots.acquire())

    def test_nobody_waits_behind_what_hangs(self) -> None:
        slots = FairSemaphore(1, LONG)
        slots.acquire()
        slots.moved_at -= LONG + 1
        began = time.monotonic()
        self.assertFalse(slots.acquire())
        self.assertLess(time.monotonic() - began, LONG / 2)

    def test_a_row_has_a_few_of_its_own_and_is_forgotten(self) -> None:
        rows, one, other = RowSemaphores(1, 0.01), uuid4(), uuid4()
        self.assertTrue(rows.acquire(one) and rows.acquire(other))
        self.assertFalse(rows.acquire(one))
        rows.release(one)
        self.assertTrue(rows.acquire(one))
        for row in (one, other):
            rows.release(row)
        self.assertEqual(rows._rows, {})

    def test_one_who_leaves_a_row_is_no_hindrance_to_another(self) -> None:
        rows, other_left = RowSemaphores(2, LONG), Event()

        class Meeting(dict[Any, Any]):
            """While one thread leaves, another one does: it may not find the row missing."""

            def __getitem__(self, row: Any) -> Any:
                found = super().__getitem__(row)
                if found.present == 2:
                    left.append(threads.submit(leave))
                    other_left.wait(0.2)  # A thread that waits for this one comes afterwards.
                return found

        def leave() -> None:
            rows.release("row")
            other_left.set()

        left: list[Future[None]] = []
        rows._rows = Meeting()
        with ThreadPoolExecutor(1) as threads:
            for _ in range(2):
                rows.acquire("row")
            rows.release("row")
            left[0].result()
        self.assertEqual(rows._rows, {})

    def test_nobody_waits_for_a_row_that_hangs(self) -> None:
        rows = RowSemaphores(2, LONG)
        for _ in range(2):
            rows.acquire("row")
        taken: Any = rows._rows["row"].queue  # Its clock began with the last slot.
        taken.moved_at -= LONG + 1
        began = time.monotonic()
        self.assertFalse(rows.acquire("row"))
        self.assertLess(time.monotonic() - began, LONG / 2)

    def test_those_who_wait_for_a_row_get_its_slots_in_turn(self) -> None:
        rows = RowSemaphores(2, LONG)

        def hold() -> None:
            self.assertTrue(rows.acquire("row"))
            rows.release("row")

        for _ in range(2):
            self.assertTrue(rows.acquire("row"))
        with ThreadPoolExecutor(8) as threads:
            waiting = [threads.submit(hold) for _ in range(8)]
            wait_until(lambda: rows._rows["row"].present == 10)
            self.assertFalse(any(one.done() for one in waiting))
            for _ in range(2):
                rows.release("row")
            for one in waiting:
                one.result()
        self.assertEqual(rows._rows, {})


class LockedRowTest(SpecimenApiTestCase):
    """A transaction locks rows for longer than requests wait."""

    CLIENTS = 16

    def start(self, **settings: Any) -> FlaskClient:
        return super().start(**{"threads": 8, "rate_limit": "", **settings})

    def ask(self, method: str, path: str) -> int:
        body = {"text": uuid4().hex[:20]} if method in {"PATCH", "POST"} else None
        return (
            self.client.application.test_client().open(path, method=method, json=body).status_code
        )

    def post(self, key: str) -> int:
        answer = self.client.application.test_client().post(
            SPECIMENS, json={"text": "once"}, headers={"Idempotency-Key": key}
        )
        return answer.status_code

    @shows("V15.2.2")
    def test_nor_do_those_who_send_one_key_again_and_again(self) -> None:
        begun, end = Event(), Event()

        def wait(_: Specimen) -> None:
            begun.set()
            end.wait(10)

        self.before_commit = wait
        with ThreadPoolExecutor(self.CLIENTS) as threads:
            self.addCleanup(end.set)
            waiting = [threads.submit(self.post, "key") for _ in range(self.CLIENTS)]
            self.assertTrue(begun.wait(10))
            wait_until(self.somebody_waits)
            for _ in range(20):
                self.assertEqual(self.ask("GET", f"{SPECIMENS}/{uuid4()}"), 404)
            end.set()
        statuses = {future.result() for future in waiting}
        self.assertIn(201, statuses)
        self.assertLessEqual(statuses, {201, 409, 503})
        self.assertEqual(self.texts().count("once"), 1)

    def added(self, name: str) -> str:
        return str(self.create(f"{name} {uuid4().hex[:8]}").headers["Location"])

    @shows("V15.2.2")
    def test_it_takes_no_slot_from_those_who_ask_for_something_else(self) -> None:
        for locked, others in (
            (1, [("GET", ""), ("PATCH", "other"), ("POST", SPECIMENS), ("DELETE", "other")]),
            (self.CLIENTS, [("GET", ""), ("HEAD", "other"), ("GET", "other")]),
        ):
            held = [self.added("held") for _ in range(locked)]
            with self.subTest(locked=locked, others=others), ExitStack() as stack:
                threads = stack.enter_context(ThreadPoolExecutor(self.CLIENTS))
                self.hold(stack)
                other = self.added("other")
                waiting = [
                    threads.submit(self.ask, "PATCH", path)
                    for path in held * (self.CLIENTS // locked)
                ]
                wait_until(self.somebody_waits)
                while not all(future.done() for future in waiting):
                    for method, path in others:
                        named = path.replace("other", other) if "other" in path else path
                        status = self.ask(method, named or held[0])
                        self.assertNotEqual(status, 503, (method, path))
                        if method == "DELETE":
                            other = self.added("other")
                self.assertEqual({future.result() for future in waiting}, {503})

    def hold(self, stack: ExitStack) -> None:
        engine = create_engine(self.database_url)
        stack.callback(engine.dispose)
        connection = stack.enter_context(engine.connect())
        stack.callback(connection.rollback)
        connection.exec_driver_sql("SELECT id FROM specimens WHERE text LIKE 'held%%' FOR UPDATE")


def application() -> Application:
    app = Application(__name__, secret_key="", max_body=0)
    app.pass_through([queue_fairly(1)])
    return app


class RequestsTest(TestCase):
    def test_each_gives_its_turn_back_whatever_happens(self) -> None:
        app = application()
        self.enterContext(patch.object(app.logger, "disabled", new=True))

        @app.get("/broken")
        def broken() -> str:
            raise ValueError

        for path in ("/broken", "/nothing", "/broken"):
            status = app.test_client().get(path).status_code
            self.assertEqual(status, 404 if path == "/nothing" else 500)

    def test_health_needs_none(self) -> None:
        app, held, end = application(), Event(), Event()
        app.add_url_rule("/health/live", "health.read_liveness", lambda: "ok")

        @app.get("/slow")
        def slow() -> str:
            held.set()
            end.wait()
            return "ok"

        with ThreadPoolExecutor(1) as thread:
            answer = thread.submit(app.test_client().get, "/slow")
            held.wait()
            self.assertEqual(app.test_client().get("/health/live").status_code, 200)
            end.set()
            self.assertEqual(answer.result().status_code, 200)

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event
from unittest import TestCase

from flask import Flask

from chassis.http.flow.fair_queue import Turns, register_turns
from support.windows import wait_until

LONG = 10.0


class TurnsTest(TestCase):
    def test_they_are_given_in_the_order_of_arrival(self) -> None:
        turns, served = Turns(1, LONG), list[int]()

        def wait(number: int) -> None:
            if turns.take():
                served.append(number)

        def waiting(threads: int) -> bool:
            return turns.waiting() == threads

        def has_served(threads: int) -> bool:
            return len(served) == threads

        turns.take()
        with ThreadPoolExecutor(3) as threads:
            for number in range(3):
                threads.submit(wait, number)
                wait_until(partial(waiting, number + 1))
            for number in range(3):
                turns.give_back()
                wait_until(partial(has_served, number + 1))
        self.assertEqual(served, [0, 1, 2])

    def test_who_gets_none_in_time_does_not_keep_one(self) -> None:
        turns = Turns(1, 0.01)
        self.assertTrue(turns.take())
        self.assertFalse(turns.take())
        turns.give_back()
        self.assertTrue(turns.take())

    def test_nobody_waits_behind_what_hangs(self) -> None:
        turns = Turns(1, LONG)
        turns.take()
        turns.moved_at -= LONG + 1
        began = time.monotonic()
        self.assertFalse(turns.take())
        self.assertLess(time.monotonic() - began, LONG / 2)


class RequestsTest(TestCase):
    def test_each_gives_its_turn_back_whatever_happens(self) -> None:
        app = Flask(__name__)
        app.logger.disabled = True
        register_turns(app, 1)

        @app.get("/broken")
        def broken() -> str:
            raise ValueError

        for path in ("/broken", "/nothing", "/broken"):
            status = app.test_client().get(path).status_code
            self.assertEqual(status, 404 if path == "/nothing" else 500)

    def test_health_needs_none(self) -> None:
        app, held, end = Flask(__name__), Event(), Event()
        register_turns(app, 1)
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

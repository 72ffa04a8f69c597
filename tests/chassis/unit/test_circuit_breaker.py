from unittest import TestCase
from unittest.mock import patch

from chassis.core.circuit_breaker import CircuitBreaker


class CircuitBreakerTest(TestCase):
    def setUp(self) -> None:
        self.now = 1.0
        self.enterContext(patch("time.monotonic", lambda: self.now))
        self.breaker = CircuitBreaker(pause=2)

    def test_all_are_admitted_while_it_works(self) -> None:
        self.breaker.worked()
        self.assertTrue(self.breaker.admits() and self.breaker.admits())

    def test_nobody_is_for_a_pause_after_it_failed(self) -> None:
        self.breaker.failed()
        self.now += 1.9
        self.assertFalse(self.breaker.admits())

    def test_one_tries_it_then_and_the_others_learn_what_came_of_it(self) -> None:
        self.breaker.failed()
        self.now += 2
        self.assertTrue(self.breaker.admits())
        self.assertFalse(self.breaker.admits())
        self.breaker.worked()
        self.assertTrue(self.breaker.admits())

    def test_another_one_tries_it_if_nothing_is_heard_of_the_first(self) -> None:
        self.breaker.failed()
        for _ in range(2):
            self.now += 2
            self.assertTrue(self.breaker.admits())

import time
from unittest.mock import patch

from limits.storage import RedisStorage
from redis import RedisError

from chassis.development.testing.bearer import bearer
from chassis.development.testing.http_cases import HttpTestCase
from chassis.development.testing.security_table import shows
from chassis.http.access.rate_limits import RateLimiter

NOTHING = "/nothing"
MAINTENANCE = "/openapi.json"
NOBODY_LISTENS = "redis://127.0.0.1:1/0"


class RateLimitsTest(HttpTestCase):
    def setUp(self) -> None:
        self.client = self.start(rate_limit="2 per minute")

    def status(self, path: str = MAINTENANCE, **headers: str) -> int:
        return self.client.get(path, headers=headers).status_code

    @shows("API4:2023", "API6:2023", "V2.4.1")
    def test_who_asks_too_often_is_told_when_to_come_again(self) -> None:
        for remaining in ("1", "0"):
            answer = self.client.get(MAINTENANCE)
            self.assertEqual(answer.status_code, 200)
            self.assertEqual(answer.headers["X-RateLimit-Limit"], "2")
            self.assertEqual(answer.headers["X-RateLimit-Remaining"], remaining)
            self.assertNotIn("Retry-After", answer.headers)
        answer = self.client.get(MAINTENANCE)
        self.assert_problem(answer, 429, "rate-limited")
        self.assertIn(int(answer.headers["Retry-After"]), range(1, 62))
        self.assertEqual(answer.headers["X-RateLimit-Reset"], answer.headers["Retry-After"])

    @shows("V2.4.1")
    def test_each_subject_has_its_own(self) -> None:
        app = self.client.application
        for subject in ("one", "another"):
            token = bearer(app, subject=subject)
            found = [self.status(Authorization=token) for _ in range(3)]
            self.assertEqual(found, [200, 200, 429])

    def test_without_a_token_that_is_good_the_address_counts(self) -> None:
        found = [self.status(Authorization=value) for value in ("", "Bearer x", "Bearer y")]
        self.assertEqual(found, [200, 200, 429])
        other = {"REMOTE_ADDR": "192.0.2.1"}
        answer = self.client.get(
            MAINTENANCE, headers={"Authorization": ""}, environ_overrides=other
        )
        self.assertEqual(answer.status_code, 200)

    def test_health_is_not_limited(self) -> None:
        self.assertEqual({self.status("/health/live") for _ in range(5)}, {200})

    def test_none_is_kept_where_none_is_set(self) -> None:
        self.client = self.start(rate_limit="")
        self.assertNotIn("X-RateLimit-Limit", self.client.get(MAINTENANCE).headers)

    @shows("V16.5.2")
    def test_a_store_that_is_down_takes_nothing_down(self) -> None:
        self.client = self.start(rate_limit="2 per minute", rate_limit_storage=NOBODY_LISTENS)
        with self.assertLogs("chassis.http.access.rate_limits", "WARNING"):
            found = [self.status() for _ in range(3)]
        self.assertEqual(found, [200, 200, 429])

    def test_a_store_that_goes_down_before_the_answer_takes_nothing_down(self) -> None:
        counts = patch.object(RedisStorage, "incr", return_value=1)
        with counts, patch.object(RedisStorage, "get", side_effect=RedisError) as asked:
            self.client = self.start(rate_limit_storage=NOBODY_LISTENS)
            self.assertEqual(self.status(), 200)
        asked.assert_called_once()

    def test_a_store_that_failed_is_asked_again_after_a_while(self) -> None:
        with patch.object(RedisStorage, "incr", side_effect=RedisError) as asked:
            limiter = RateLimiter("2 per minute", NOBODY_LISTENS, "service")
            for times in (1, 1):
                self.assertFalse(limiter.count("somebody").is_broken)
                self.assertEqual(asked.call_count, times)
            limiter._breaker._retry_at = time.monotonic()
            self.assertTrue(limiter.count("somebody").is_broken)
            self.assertEqual(asked.call_count, 2)

    def test_the_shortest_of_several_is_told_and_each_is_kept(self) -> None:
        limiter = RateLimiter("2 per hour; 5 per second", "memory://", "service")
        for remaining in (4, 3):
            counted = limiter.count("somebody")
            self.assertEqual((counted.limit.amount, counted.remaining), (5, remaining))
        self.assertEqual(limiter.count("somebody").limit.amount, 2)

    def test_redis_is_asked_where_it_is_set(self) -> None:
        with patch.object(RedisStorage, "incr", return_value=1) as asked:
            self.client = self.start(rate_limit_storage=NOBODY_LISTENS)
            self.assertEqual(self.status(), 200)
        asked.assert_called_once()

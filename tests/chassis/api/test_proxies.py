"""Whose address a caller has, where proxies stand before the service and where none does."""

from chassis.development.testing.http_cases import HttpTestCase
from chassis.development.testing.security_table import shows


class ProxiesTest(HttpTestCase):
    def statuses(self, *forwarded: str) -> list[int]:
        headers = [{"X-Forwarded-For": sent, "Authorization": ""} for sent in forwarded]
        return [self.client.get("/openapi.json", headers=sent).status_code for sent in headers]

    @shows("V4.1.3", "V15.3.4")
    def test_without_one_nobody_s_word_is_taken(self) -> None:
        self.client = self.start(rate_limit="1 per minute")
        self.assertEqual(self.statuses("192.0.2.1", "192.0.2.2"), [200, 429])

    @shows("V4.1.3", "V15.3.4")
    def test_with_one_only_its_word_is_taken(self) -> None:
        self.client = self.start(rate_limit="1 per minute", proxy_hops=1)
        forged = ("192.0.2.8, 192.0.2.1", "192.0.2.9, 192.0.2.1", "192.0.2.8, 192.0.2.2")
        self.assertEqual(self.statuses(*forged), [200, 429, 200])

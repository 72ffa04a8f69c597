"""The caller's address is right with and without proxies in front of the service."""

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

    @shows("V15.3.4")
    def test_a_caller_s_address_is_the_same_however_a_proxy_writes_it(self) -> None:
        for same in (
            ("203.0.113.9:50001", "203.0.113.9:50002", "203.0.113.9", "::ffff:203.0.113.9"),
            ("2001:db8::1", "[2001:db8::2]:50001", "2001:DB8:0:0:ffff::", "[2001:db8::]"),
            ("unknown", "_hidden", "203.0.113.9:x", "999.0.0.1", "[::1", "a:1:2"),
        ):
            self.client = self.start(rate_limit="1 per minute", proxy_hops=1)
            self.assertEqual(self.statuses(*same), [200] + [429] * (len(same) - 1), same)
        self.client = self.start(rate_limit="1 per minute", proxy_hops=1)
        others = ("203.0.113.9:1", "203.0.113.10:1", "2001:db8::1", "2001:db8:0:1::1", "unknown")
        self.assertEqual(self.statuses(*others), [200] * 5)

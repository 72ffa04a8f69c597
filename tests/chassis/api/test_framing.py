"""Requests that two servers could read differently (request smuggling) are rejected."""

from typing import Any

from chassis.development.testing.http_cases import HttpTestCase
from chassis.development.testing.security_table import shows
from chassis.http.access.policies import public

WINDOWS = "/ops/maintenance/windows"
LIVE, READY, METRICS = "/health/live", "/health/ready", "/metrics"
SERVED = (200, 503)  # Without a database, the service is not ready.


class FramingTest(HttpTestCase):
    def status(self, path: str = LIVE, **environ: Any) -> int:
        return self.client.get(path, environ_overrides=environ).status_code

    @shows("V4.2.1")
    def test_a_transfer_encoding_that_is_not_chunked_is_refused(self) -> None:
        self.client.application.add_url_rule(
            "/take", methods=["POST"], view_func=public(lambda: "")
        )
        for sent in (
            "gzip, chunked",
            "chunked, chunked",
            "identity",
            "xchunked",
            "chunked;q=1",
            "",
        ):
            for path in ("/take", LIVE, "/nothing"):
                with self.subTest(sent, path=path):
                    answer = self.client.post(
                        path, environ_overrides={"HTTP_TRANSFER_ENCODING": sent}
                    )
                    self.assert_problem(answer, 400, "malformed-body")

    @shows("V4.2.1")
    def test_a_method_has_one_way_of_writing(self) -> None:
        for method in ("get", "Get", "gET", "head", "options"):
            with self.subTest(method):
                answer = self.client.get(LIVE, environ_overrides={"REQUEST_METHOD": method})
                problem = self.assert_problem(answer, 405, "method-not-allowed")
                self.assertIn("GET", answer.headers["Allow"], problem)
        answer = self.client.get(WINDOWS, environ_overrides={"REQUEST_METHOD": "post"})
        self.assertIn("POST", answer.headers["Allow"])
        answer = self.client.get("/nothing", environ_overrides={"REQUEST_METHOD": "get"})
        self.assert_problem(answer, 404, "not-found")

    def test_who_asks_for_a_web_socket_gets_what_there_is(self) -> None:
        for upgrade in ("websocket", "WebSocket", "h2c", "websocket, h2c"):
            for connection in ("Upgrade", "keep-alive, Upgrade", "close"):
                with self.subTest(upgrade, connection=connection):
                    sent = {"HTTP_UPGRADE": upgrade, "HTTP_CONNECTION": connection}
                    self.assertEqual(self.status(**sent), 200)
                    self.assertEqual(self.status("/nothing", **sent), 404)

    def test_a_host_has_one_name_and_one_port(self) -> None:
        for host in (
            *(
                "a:1:2",
                "a:",
                "a:80:",
                "a:99999",
                "a:-1",
                "a:0x50",
                "a:80 ",
                "a@b",
                "a/b",
                "a?b",
                "a#b",
            ),
            *(
                "[::1",
                "::1",
                "[::1]x",
                "[::1]:1:2",
                "[g::1]",
                "a b",
                "a,b",
                "é",
                "a\\b",
                "%61",
                ":80",
            ),
        ):
            with self.subTest(host):
                answer = self.client.get(LIVE, environ_overrides={"HTTP_HOST": host})
                # An empty port means the scheme's default (RFC 3986, section 3.2.3).
                if host == "a:":
                    self.assertEqual(answer.status_code, 200)
                else:
                    self.assert_problem(answer, 400, "bad-host")
        for host in (
            "my_service",
            "my_service:8000",
            "[::1]",
            "[2001:db8::1]:443",
            "A.example",
            "x",
        ):
            with self.subTest(host):
                self.assertEqual(self.status(HTTP_HOST=host), 200)


class TrustedHostsTest(HttpTestCase):
    def setUp(self) -> None:
        super().setUp()
        trusted = ["api.example.org", ".example.net", "my_service", "[::1]"]
        self.client = self.start(trusted_hosts=trusted)

    def test_machines_that_ask_by_address_are_answered(self) -> None:
        for path in (LIVE, READY, METRICS):
            for host in ("127.0.0.1:8000", "10.0.0.7", "[2001:db8::1]:8000", "replica_1", ""):
                with self.subTest(path, host=host):
                    sent = {"HTTP_HOST": host} | ({} if host else {"SERVER_PROTOCOL": "HTTP/1.0"})
                    answer = self.client.get(path, environ_overrides=sent)
                    self.assertIn(answer.status_code, SERVED, answer.text)
        answer = self.client.get(LIVE, environ_overrides={"HTTP_HOST": "a,b"})
        self.assert_problem(answer, 400, "bad-host")

    @shows("API8:2023")
    def test_others_have_to_know_the_name(self) -> None:
        for host, status in (
            ("api.example.org", 200),
            ("API.Example.ORG:443", 200),
            ("a.example.net", 200),
            ("a.b.example.net:1", 200),
            ("my_service:8000", 200),
            ("[::1]:8000", 200),
            ("example.net", 400),
            ("evilexample.net", 400),
            ("evil.example.org", 400),
            ("api.example.org.evil", 400),
            ("api.example.org.", 400),
            ("127.0.0.1:8000", 400),
            ("[::2]", 400),
            ("", 400),
        ):
            with self.subTest(host):
                answer = self.client.get("/openapi.json", environ_overrides={"HTTP_HOST": host})
                self.assertEqual(answer.status_code, status)
                if status != 200:
                    self.assert_problem(answer, 400, "bad-host")
        answer = self.client.get("/nothing", environ_overrides={"HTTP_HOST": "evil.example.org"})
        self.assert_problem(answer, 400, "bad-host")

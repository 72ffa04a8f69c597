import re
from unittest.mock import patch

from flask import Response, request, url_for

from chassis.development.testing.http_cases import HttpTestCase
from chassis.development.testing.security_table import shows
from chassis.http.access.policies import public

LOCKED = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
HTTPS = {"X-Forwarded-Proto": "https"}
TRANSPORT = "Strict-Transport-Security"


def answer() -> Response:
    response = Response(f"{request.remote_addr} {url_for('answer', _external=True)}")
    response.set_etag("one")
    response.make_conditional(request)
    return response


class SecurityHeadersTest(HttpTestCase):
    @shows("API8:2023", "V3.2.1", "V3.4.4", "V3.4.5", "V3.4.6", "V14.3.2")
    def test_every_answer_has_them_errors_too(self) -> None:
        def fail() -> str:
            raise RuntimeError

        self.enterContext(patch.object(self.client.application.logger, "disabled", new=True))
        self.client.application.add_url_rule("/fail", "fail", public(fail))
        for method, path, headers, status in (
            ("GET", "/health/live", {}, 200),
            ("HEAD", "/health/live", {}, 200),
            ("OPTIONS", "/health/live", {}, 200),
            ("GET", "/openapi.json", {}, 200),
            ("GET", "/metrics", {}, 200),
            ("GET", "/health/live?unknown=1", {}, 400),
            ("GET", "/health/live", {"Host": "a b"}, 400),
            ("GET", "/nothing", {}, 404),
            ("BREW", "/health/live", {}, 405),
            ("GET", "/fail", {}, 500),
            ("GET", "/health/ready", {}, 503),
        ):
            with self.subTest(f"{method} {path} {status}"):
                response = self.client.open(path, method=method, headers=headers)
                self.assertEqual(response.status_code, status)
                for name, value in LOCKED.items():
                    self.assertEqual(response.headers.getlist(name), [value])
                self.assertEqual(response.headers.getlist("Cache-Control"), ["no-store"])
                self.assertNotIn(TRANSPORT, response.headers)

    @shows("V14.3.2")
    def test_what_has_a_tag_may_be_kept_and_is_asked_for_again(self) -> None:
        self.client.application.add_url_rule("/answer", "answer", public(answer))
        for headers, status in (({}, 200), ({"If-None-Match": '"one"'}, 304)):
            with self.subTest(status):
                response = self.client.get("/answer", headers=headers)
                self.assertEqual(response.status_code, status)
                self.assertEqual(response.headers.getlist("Cache-Control"), ["no-cache"])

    def test_a_view_that_says_how_long_is_heard(self) -> None:
        def keep() -> tuple[str, dict[str, str]]:
            return "kept", {"Cache-Control": "max-age=1"}

        self.client.application.add_url_rule("/keep", "keep", public(keep))
        kept = self.client.get("/keep").headers.getlist("Cache-Control")
        self.assertEqual(kept, ["max-age=1"])

    @shows("V3.4.3")
    def test_the_page_may_use_what_is_its_own_and_nothing_in_line_but_styles(self) -> None:
        response = self.client.get("/docs")
        [policy] = response.headers.getlist("Content-Security-Policy")
        allowed = dict(part.strip().split(" ", 1) for part in policy.split(";"))
        self.assertEqual(allowed["default-src"], "'none'")
        self.assertEqual(allowed["script-src"], "'self'")
        self.assertEqual(allowed["connect-src"], "'self'")
        self.assertEqual(allowed["frame-ancestors"], "'none'")
        self.assertEqual(allowed["img-src"], "'self' data:")
        self.assertNotRegex(response.text, r"<script(?! src=)|<style|\son\w+=|javascript:")
        for path in re.findall('(?:href|src)="([^"]+)"', response.text):
            with self.subTest(path), self.client.get(path) as loaded:
                for name, value in LOCKED.items():
                    self.assertEqual(loaded.headers.getlist(name), [value])


class ProxyTest(HttpTestCase):
    @shows("V4.1.3")
    def test_nobody_is_believed_by_default(self) -> None:
        self.client.application.add_url_rule("/answer", "answer", public(answer))
        response = self.client.get("/answer", headers={**HTTPS, "X-Forwarded-For": "192.0.2.1"})
        self.assertNotIn(TRANSPORT, response.headers)
        self.assertEqual(response.text, "127.0.0.1 http://localhost/answer")

    @shows("V3.4.1", "V4.1.3", "V15.3.4")
    def test_as_many_proxies_are_believed_as_there_are(self) -> None:
        self.client = self.start(proxy_hops=1)
        self.client.application.add_url_rule("/answer", "answer", public(answer))
        headers = {
            **HTTPS,
            "X-Forwarded-For": "192.0.2.1, 192.0.2.2",
            "X-Forwarded-Host": "evil.example.org",
        }
        response = self.client.get("/answer", headers=headers)
        self.assertEqual(response.text, "192.0.2.2 https://localhost/answer")
        self.assertRegex(response.headers[TRANSPORT], r"^max-age=31536000\b")
        for path in ("/health/live", "/nothing"):
            with self.subTest(path):
                self.assertIn(TRANSPORT, self.client.get(path, headers=HTTPS).headers)
                self.assertNotIn(TRANSPORT, self.client.get(path).headers)

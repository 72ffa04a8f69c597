"""The cached result for a Host equals Flask's own: compares with and without the shortcut."""

from typing import Any
from unittest.mock import patch

from flask import request, url_for

from chassis.development.testing.http_cases import HttpTestCase
from chassis.http.access.policies import public
from chassis.http.fast import direct_flask

HOSTS = [
    "localhost",
    "LOCALHOST",
    "localhost:80",
    "localhost:443",
    "localhost:8000",
    "127.0.0.1",
    "[::1]:8000",
    "b\u00fccher.example.org",
    "xn--bcher-kva.example.org",
    "sub.example.org",
    "evil.example.com",
    "a b",
    "a,b",
    "",
    f"{'a' * 64}.example.org",
]
ENVIRONS: list[dict[str, str]] = [
    {},
    {"wsgi.url_scheme": "https"},
    {"SCRIPT_NAME": "/below"},
    {"SCRIPT_NAME": "/b\u00c3\u00a9low/"},
    {"PATH_INFO": "/\u00c3\u00a9"},
    {"PATH_INFO": "//hosts"},
    {"PATH_INFO": "/slash"},
    {"PATH_INFO": "/slash", "QUERY_STRING": "a=%41&b=/"},
    {"PATH_INFO": "/slash", "QUERY_STRING": "a=\u00c3\u00a9"},
    {"REQUEST_METHOD": "POST"},
    {"REQUEST_METHOD": "OPTIONS"},
    {"HTTP_UPGRADE": "websocket", "HTTP_CONNECTION": "upgrade"},
    {"SERVER_PROTOCOL": "HTTP/1.0"},
]


class HostsTest(HttpTestCase):
    def answered(self, host: str | None, **others: str) -> Any:
        """Send a request twice; return status, headers and body of the second response."""
        app = self.client.application
        base = app.test_request_context("/hosts").request.environ
        own = {} if host is None else {"HTTP_HOST": host.encode().decode("latin-1")}
        told: list[Any] = []
        for _ in range(2):
            environ = {name: value for name, value in base.items() if name != "HTTP_HOST"}
            environ |= {"HTTP_X_REQUEST_ID": "one"} | own | others
            body = b"".join(app.wsgi_app(environ, lambda *sent: told.append(sent)))  # type: ignore[arg-type]
        status, headers, *_ = told[-1]
        return status, [one for one in headers if "RateLimit" not in one[0]], body

    def assert_alike(self, **settings: Any) -> None:
        self.client = self.start(rate_limit="", **settings)
        app = self.client.application
        app.add_url_rule("/slash/", "slash", public(lambda: "slash"))
        app.add_url_rule("/hosts", "hosts", public(self.view))
        for host in (*HOSTS, None):
            for environ in ENVIRONS:
                with self.subTest(host, environ=environ):
                    found = self.answered(host, **environ)
                    with patch.object(direct_flask, "ENABLED", new=False):
                        self.assertEqual(found, self.answered(host, **environ))

    @staticmethod
    def view() -> dict[str, Any]:
        return {
            "host": request.host,
            "url": request.url,
            "secure": request.is_secure,
            "trusted": request.trusted_hosts,
            "built": url_for("hosts", _external=True, x=1),
        }

    def test_of_any_host(self) -> None:
        self.assert_alike()

    def test_of_trusted_hosts(self) -> None:
        self.assert_alike(trusted_hosts=("localhost", ".example.org", "127.0.0.1"))

    def test_behind_a_proxy(self) -> None:
        self.assert_alike(proxy_hops=1)

    def test_each_field_of_an_adapter_is_that_of_flask(self) -> None:
        app = self.client.application
        base = app.test_request_context("/hosts", base_url="http://localhost").request.environ
        for name in (None, "Example.org:443"):
            app.config["SERVER_NAME"] = name
            for others in ENVIRONS:
                with self.subTest(name, environ=others):
                    _, found = (app.request_context(base | others).url_adapter for _ in range(2))
                    with patch.object(direct_flask, "ENABLED", new=False):
                        expected = app.request_context(base | others).url_adapter
                    fields = vars(expected) | {"path_info": vars(found)["path_info"]}
                    self.assertEqual(vars(found), fields)  # Werkzeug drops slashes before a path.

    def test_another_list_of_trusted_hosts_is_heeded(self) -> None:
        for trusted, status in ((None, 200), (["example.org"], 400), (["localhost"], 200)):
            self.client.application.config["TRUSTED_HOSTS"] = trusted
            self.assertEqual(self.client.get("/health/live").status_code, status)

    @patch.object(direct_flask, "ENABLED", new=True)
    def test_no_more_are_remembered_than_may_be(self) -> None:
        app: Any = self.client.application
        for number in range(2 * direct_flask.MOST_HOSTS):
            self.client.get("/health/live", headers={"Host": f"host{number}"})
        self.assertEqual(len(app._hosts), direct_flask.MOST_HOSTS)

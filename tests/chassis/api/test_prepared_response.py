"""A prepared response equals Werkzeug's: compares with and without the shortcut."""

from collections.abc import Callable
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from flask import Response
from werkzeug.datastructures import Headers

from chassis.development.testing.http_cases import HttpTestCase
from chassis.http.access.policies import public
from chassis.http.fast import prepared_response
from chassis.http.output.answers import answer

ENTITY = SimpleNamespace(version=3)
BODY = SimpleNamespace(a="\u00e9")
# Values that a view returns.
RETURNED: list[Any] = [
    BODY,
    None,
    ENTITY,
    (BODY, 201),
    (BODY, HTTPStatus.ACCEPTED),
    (BODY, "200 Fine"),
    (BODY, 204),
    (BODY, 304),
    (BODY, 404),
    (BODY, 799),
    *(
        (BODY, {"Location": location})
        for location in (
            "/",
            "/things/1",
            "/th\u00efngs/1",
            "/a b",
            "/%41/%zz",
            "//Other.example.org:80/a",
            "//Other/a",
            "http://Other.example.org/\u00e9?\u00e9",
            "things",
            "?a=b",
            "/a:b",
            "",
        )
    ),
    (BODY, 201, {"location": "/\u00e9"}),
    (BODY, {"Location": "/a", "X-Other": "b"}),
    (BODY, {"X-Other": 1}),
    (BODY, {"Cache-Control": "max-age=5"}),
    (BODY, {"cache-control": "max-age=5", "REFERRER-POLICY": "origin"}),
    (BODY, {"X-Request-ID": "another"}),
    (BODY, {"Content-Type": "application/hal+json"}),
    (BODY, {"Content-Location": "/\u00e9"}),
    (BODY, {"Set-Cookie": ["a=b", "c=d"]}),
    (BODY, Headers([("Link", "</a>"), ("Link", "</b>")])),
    (BODY, [("Location", "/a")]),
    (ENTITY, {"ETag": '"other"'}),
    (ENTITY, 201, {"Location": "/things/1"}),
]
Hook = Callable[[Response], object]
CLOSED: list[str] = []
# Changes that a team's hook may make to a response.
HOOKS: list[Hook] = [
    lambda response: response.headers.add("X-More", "1"),
    lambda response: response.headers.set("Cache-Control", "max-age=5"),
    lambda response: response.headers.remove("Content-Type"),
    lambda response: setattr(response, "headers", Headers({"X-Only": "1"})),
    lambda response: setattr(response, "content_type", "text/plain"),
    lambda response: setattr(response, "status_code", 103),
    lambda response: setattr(response, "status_code", 204),
    lambda response: setattr(response, "status_code", 304),
    lambda response: setattr(response, "status_code", 503),
    lambda response: setattr(response, "status", "200 Fine"),
    lambda response: setattr(response, "direct_passthrough", True),
    lambda response: setattr(response, "response", (part for part in (b"a", b"b"))),
    lambda response: setattr(response, "response", ["\u00e9"]),
    lambda response: setattr(response, "data", b"other"),
    lambda response: response.set_cookie("a", "b"),
    lambda response: response.get_data(),
    lambda response: response.call_on_close(lambda: CLOSED.append("closed")),
    lambda response: response.make_conditional({"REQUEST_METHOD": "GET"}).headers.remove("Date"),
    lambda response: response.freeze(),
]


class PreparedResponseTest(HttpTestCase):
    def setUp(self) -> None:
        self.client = self.start(rate_limit="")  # The rate limiter would count the request.
        self.returned: Any = BODY
        self.hook: Hook = lambda response: response
        app = self.client.application

        def view() -> Response:
            return answer(self.returned, 200, lambda found: found and vars(found))

        def after(response: Response) -> Response:
            self.hook(response)
            return response

        app.add_url_rule("/view", "view", public(view), methods=["GET", "POST"])
        app.after_request(after)

    def sent(self, **options: Any) -> Any:
        CLOSED.clear()
        headers = {"X-Request-ID": "one", **options.pop("headers", {})}
        with self.client.open("/view", headers=headers, **options) as response:
            body = response.get_data()
            lines = sorted((name.lower(), value) for name, value in response.headers)
        return response.status, lines, body, [*CLOSED]

    def assert_alike(self, **options: Any) -> Any:
        found = self.sent(**options)
        with patch.object(prepared_response, "ENABLED", new=False):
            self.assertEqual(found, self.sent(**options))
        return found

    def test_whatever_a_view_returns(self) -> None:
        for self.returned in RETURNED:
            for method in ("GET", "HEAD", "POST"):
                with self.subTest(self.returned, method=method):
                    self.assert_alike(method=method)

    def test_whatever_a_hook_does(self) -> None:
        for number, self.hook in enumerate(HOOKS):
            for self.returned in (BODY, ENTITY):
                for method in ("GET", "HEAD"):
                    with self.subTest(number, method=method):
                        self.assert_alike(method=method)

    def test_over_https(self) -> None:
        _, lines, *_ = self.assert_alike(base_url="https://localhost")
        self.assertIn("strict-transport-security", dict(lines))

    def test_who_has_it_already_gets_no_body(self) -> None:
        self.returned = ENTITY
        tag = dict(self.sent()[1])["etag"]
        for value in (tag, f"W/{tag}", "*", '"other"', f'"other", {tag}'):
            for method in ("GET", "HEAD", "POST"):
                with self.subTest(value, method=method):
                    found = self.assert_alike(method=method, headers={"If-None-Match": value})
                    is_old = method != "POST" and value != '"other"'
                    self.assertEqual(found[0], "304 NOT MODIFIED" if is_old else found[0])

    def test_no_line_can_be_smuggled_in(self) -> None:
        self.enterContext(patch.object(self.client.application.logger, "disabled", new=True))
        for value in ("/a\r\nX-Evil: 1", "/a\n", "/a\r"):
            with self.subTest(value):
                self.returned = BODY, {"Location": value}
                self.assertEqual(self.client.get("/view").status_code, 500)

    @patch.object(prepared_response, "ENABLED", new=True)
    def test_the_usual_answer_goes_out_in_one_piece_and_closing_is_nobodys(self) -> None:
        for self.returned in (BODY, ENTITY, (ENTITY, 201, {"Location": "/things/1"})):
            environ = self.client.application.test_request_context("/view").request.environ
            pieces = self.client.application.wsgi_app(environ, lambda *_: lambda _: None)
            self.assertIs(type(pieces), list)

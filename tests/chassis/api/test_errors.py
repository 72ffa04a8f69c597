from io import BytesIO
from typing import Any
from unittest.mock import Mock

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from chassis.core.errors import ConflictError, DomainError, DuplicateError
from chassis.development.testing.http_cases import HttpTestCase
from chassis.development.testing.security_table import shows
from chassis.http.access.policies import public
from chassis.http.flow.blueprint import Blueprint
from chassis.schemas import fields
from chassis.schemas.base import Schema


class ClosedError(ConflictError):
    pass


def error_of(status: int) -> HTTPException:
    error = HTTPException("No.")
    error.code = status
    return error


class LoanInput(Schema):
    code = fields.Text(max_length=9, data_key="isbn/code")
    copy = fields.Integer(attribute="copy_number")
    id = fields.UUID(dump_only=True)


class ErrorsTest(HttpTestCase):
    @property
    def app(self) -> Flask:
        return self.client.application

    def send(self, path: str, environ: dict[str, str], stream: Any) -> TestResponse:
        """Send a request as granian does: WSGI's input ends by itself."""
        granian = {"wsgi.input": stream, "wsgi.input_terminated": True}
        return self.client.post(path, environ_overrides={**environ, **granian})

    def fail_with(self, error: Exception) -> None:
        def fail() -> str:
            raise error

        self.app.add_url_rule("/fail", view_func=public(fail))

    @shows("V4.1.2")
    def test_an_unknown_url_is_not_found_and_never_redirected(self) -> None:
        self.app.add_url_rule("/slashed/", "slashed", public(lambda: ""))
        self.app.add_url_rule(
            "/numbered/<int:number>", "numbered", public(lambda **names: str(names))
        )
        numbers = ("0", "-1", str(2**63), "9" * 400, "9" * 5000, "%D9%A1", "1%00", "01", "+1")
        for path in (
            *("/nothing", "/health/live/", "/health//live", "/slashed", "/docs/assets/..%2fx"),
            *("/docs/assets/a%00", "/docs/assets/%ff", "/health/..%2fhealth/live"),
            *(f"/numbered/{number}" for number in numbers),
        ):
            with self.subTest(path):
                self.assert_problem(self.client.get(path), 404, "not-found")
        for path in ("//health/live", "///health/live"):
            with self.subTest(path):  # Flask's test client would take the first segment for a host.
                response = self.client.get(environ_overrides={"PATH_INFO": path})
                self.assert_problem(response, 404, "not-found")
        self.assertEqual(self.client.get(f"/numbered/{2**63 - 1}").status_code, 200)

    def test_a_wrong_method_is_told_the_right_ones(self) -> None:
        response = self.client.post("/health/live")
        self.assert_problem(response, 405, "method-not-allowed")
        self.assertEqual(set(response.allow), {"GET", "HEAD", "OPTIONS"})

    def test_an_unknown_method_too(self) -> None:
        response = self.client.open("/health/live", method="BREW")
        self.assert_problem(response, 405, "method-not-allowed")
        self.assertEqual(set(response.allow), {"GET", "HEAD", "OPTIONS"})

    def test_what_every_resource_answers_to(self) -> None:
        head = self.client.head("/health/live")
        self.assertEqual((head.status_code, head.data), (200, b""))
        options = self.client.options("/health/live")
        self.assertEqual(options.status_code, 200)
        self.assertEqual(set(options.allow), {"GET", "HEAD", "OPTIONS"})

    @shows("V4.2.1")
    def test_a_body_that_was_cut_is_refused(self) -> None:
        self.app.add_url_rule("/take", methods=["POST"], view_func=public(lambda: "taken"))
        chunked = {"HTTP_TRANSFER_ENCODING": "chunked"}
        for environ, body, status in (
            ({"CONTENT_LENGTH": "3"}, b"ab", 400),
            ({"CONTENT_LENGTH": "3"}, b"", 400),
            ({"CONTENT_LENGTH": "2"}, b"ab", 200),
            ({"CONTENT_LENGTH": "0"}, b"", 200),
            ({}, b"", 200),
            (chunked, b"", 400),
            (chunked, b"ab", 200),
        ):
            with self.subTest(environ, body=body):
                response = self.send("/take", environ, BytesIO(body))
                self.assertEqual(response.status_code, status)
                if status != 200:
                    self.assert_problem(response, 400, "malformed-body")

    def test_a_server_that_notices_the_cut_itself_is_understood(self) -> None:
        self.app.add_url_rule("/take", methods=["POST"], view_func=public(lambda: "taken"))
        stream = Mock(spec=["read"], read=Mock(side_effect=OSError))
        response = self.send("/take", {"HTTP_TRANSFER_ENCODING": "chunked"}, stream)
        self.assert_problem(response, 400, "malformed-body")

    @shows("API4:2023", "V15.2.2")
    def test_a_body_over_the_limit_is_refused_unread(self) -> None:
        self.client = self.start(max_body_bytes=10)
        self.app.add_url_rule("/take", methods=["POST"], view_func=public(lambda: "taken"))
        unread = Mock(spec=["read"], read=Mock(side_effect=AssertionError))
        response = self.send("/take", {"CONTENT_LENGTH": "11"}, unread)
        self.assert_problem(response, 413, "payload-too-large")
        chunks = BytesIO(b"x" * 11)
        response = self.send("/take", {"HTTP_TRANSFER_ENCODING": "chunked"}, chunks)
        self.assert_problem(response, 413, "payload-too-large")
        self.assertEqual(self.client.post("/take", data="x" * 10).status_code, 200)

    @shows("API8:2023")
    def test_a_host_that_is_not_trusted_is_refused(self) -> None:
        self.client = self.start(trusted_hosts=["api.example.org", ".example.net"])
        for host, status in (
            ("api.example.org", 200),
            ("api.example.org:8000", 200),
            ("a.example.net", 200),
            ("evil.example.org", 400),
            ("api.example.org.evil", 400),
            ("", 400),
        ):
            with self.subTest(host):
                response = self.client.get("/openapi.json", headers={"Host": host})
                self.assertEqual(response.status_code, status)
                if status != 200:
                    self.assert_problem(response, 400, "bad-host")

    def test_a_host_that_is_none_is_refused(self) -> None:
        for host in ("a,b", "a b", "", "[", "a:99999"):
            with self.subTest(host):
                response = self.client.get("/health/live", headers={"Host": host})
                self.assert_problem(response, 400, "bad-host")
        old = {"SERVER_PROTOCOL": "HTTP/1.0", "HTTP_HOST": ""}
        self.assertEqual(self.client.get("/health/live", environ_overrides=old).status_code, 200)

    def test_the_names_of_errors_do_not_change_with_python(self) -> None:
        for status, slug in (
            *((413, "payload-too-large"), (416, "range-not-satisfiable"), (422, "validation")),
            *((414, "refused"), (418, "refused"), (502, "internal")),
        ):
            with self.subTest(status), self.app.test_request_context("/"):
                self.app.preprocess_request()
                answer = self.app.make_response(self.app.handle_http_exception(error_of(status)))
                self.assertEqual(answer.get_json(force=True)["type"], slug)

    @shows("V16.3.4", "V16.5.1")
    def test_an_unforeseen_error_says_nothing_of_the_inside(self) -> None:
        self.fail_with(RuntimeError("a secret of the inside"))
        with self.assertLogs(self.app.logger, "ERROR") as logs:
            response = self.client.get("/fail")
        self.assert_problem(response, 500, "internal")
        self.assertNotIn("inside", response.text)
        self.assertIn("a secret of the inside", logs.output[0])

    def test_an_error_of_the_domain_without_an_entry_is_answered_as_its_parent(self) -> None:
        self.fail_with(ClosedError("Closed."))
        problem = self.assert_problem(self.client.get("/fail"), 409, "conflict")
        self.assertEqual(problem["detail"], "Closed.")

    def test_one_that_names_no_kind_is_our_mistake(self) -> None:
        self.fail_with(DomainError("No kind."))
        self.assert_problem(self.client.get("/fail"), 500, "internal")

    @shows("V1.2.1")
    def test_a_fit_request_id_is_kept_and_another_replaced(self) -> None:
        for sent, kept in (("abc-123", True), ("a b", False), ("x" * 65, False)):
            with self.subTest(sent):
                response = self.client.get("/nothing", headers={"X-Request-ID": sent})
                self.assertEqual(response.headers["X-Request-ID"] == sent, kept)

    def test_of_what_exists_already_only_what_was_sent_is_named(self) -> None:
        raised = DuplicateError("It is lent.")
        blueprint = Blueprint("loans", __name__, url_prefix="/loans")

        @blueprint.post("")
        @blueprint.public
        @blueprint.arguments(LoanInput)
        @blueprint.response(204)
        def lend(_body: Any) -> None:
            raise raised

        @blueprint.post("/again")
        @blueprint.public
        @blueprint.response(204)
        def lend_again() -> None:
            raise raised

        [api] = self.app.extensions["flask-smorest"]["apis"].values()
        api["ext_obj"].register_blueprint(blueprint)
        code, copy = (("code", "/isbn~1code"), ("copy_number", "/copy"))
        for names, detail, pointers in (
            ((code[0],), "It is lent: isbn/code.", [code[1]]),
            ((code[0], copy[0]), "It is lent: isbn/code, copy.", [code[1], copy[1]]),
            (("owner", copy[0]), "It is lent: copy.", [copy[1]]),
            (("id",), "It is lent.", []),
            ((), "It is lent.", []),
        ):
            with self.subTest(names):
                raised = DuplicateError("It is lent.", fields=names)
                problem = self.assert_problem(self.client.post("/loans", json={}), 409, "duplicate")
                found = [entry["pointer"] for entry in problem.get("errors", [])]
                self.assertEqual((problem["detail"], found), (detail, pointers))
                problem = self.assert_problem(self.client.post("/loans/again"), 409, "duplicate")
                self.assertEqual(problem["detail"], "It is lent.")

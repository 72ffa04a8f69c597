from flask import Flask

from src.domain.exceptions import ConflictError, DomainError
from tests.support.application import HttpTestCase


class ClosedError(ConflictError):
    pass


class ErrorsTest(HttpTestCase):
    @property
    def app(self) -> Flask:
        return self.client.application

    def fail_with(self, error: Exception) -> None:
        def fail() -> str:
            raise error

        self.app.add_url_rule("/fail", view_func=fail)

    def test_an_unknown_url_is_not_found_and_never_redirected(self) -> None:
        for path in ("/nothing", "/health/live/", "//health/live", "/health//live"):
            with self.subTest(path):
                self.assert_problem(self.client.get(path), 404, "not-found")

    def test_a_wrong_method_is_told_the_right_ones(self) -> None:
        response = self.client.post("/health/live")
        self.assert_problem(response, 405, "method-not-allowed")
        self.assertEqual(set(response.allow), {"GET", "HEAD", "OPTIONS"})

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

    def test_a_fit_request_id_is_kept_and_another_replaced(self) -> None:
        for sent, kept in (("abc-123", True), ("a b", False), ("x" * 65, False)):
            with self.subTest(sent):
                response = self.client.get("/nothing", headers={"X-Request-ID": sent})
                self.assertEqual(response.headers["X-Request-ID"] == sent, kept)

"""The pipeline has its documented order, and a request passes the steps that matter for it."""

from collections.abc import Callable
from contextvars import Context
from typing import Any
from unittest import TestCase
from unittest.mock import patch

from flask import Request, Response, request

from chassis.core.request_scope import RequestScope, current_scope
from chassis.development.testing.http_cases import HttpTestCase
from chassis.http.access.policies import public
from chassis.http.flow.application import Application
from chassis.http.flow.pipeline import Maker, Route, Step
from src.api import middleware

# From the outermost step to the view; src/api/middleware.py gives the reason for each place.
ORDER = [
    "send_security_headers",
    "read_unread_bodies",
    "give_request_ids",
    "record_requests",
    "identify_callers",
    "limit_rates",
    "respect_windows",
    "reject_strangers",
    "check_input",
    "read_own_writes",
    "queue_fairly",
    "send_deprecation",
    "repeat_collisions",
    "respond_once",
]


class OrderTest(HttpTestCase):
    def test_the_steps_are_these_in_this_order(self) -> None:
        parts: Any = dict.fromkeys(("authenticator", "maintenance", "replica", "unit_of_work"))
        parts |= {"observers": [], "rates": ("", "", ""), "slots": 1, "trusted_hosts": ()}
        makers = middleware.pipeline(**parts)
        self.assertEqual([name_of(maker) for maker in makers], ORDER)

    def test_a_route_has_only_the_steps_that_can_matter_to_it(self) -> None:
        app: Any = self.client.application
        read, health, unmatched = (
            [name_of(before) for before in app.pipeline.plan(endpoint, method).befores]
            for endpoint, method in (
                ("api-docs.openapi_json", "GET"),
                ("health.read_liveness", "GET"),
                (None, ""),
            )
        )
        limited = ["_give", "identify_callers", "_count", "respect_windows"]
        self.assertEqual(read, [*limited, "_check_whole", "_Queues.read"])
        self.assertEqual(health, ["_give", "identify_callers", "_check_whole"])
        self.assertEqual(unmatched, [*limited, "_check_unmatched"])

    def test_hooks_of_the_team_run_behind_the_steps_and_see_responses_first(self) -> None:
        app, seen = self.client.application, list[object]()

        @app.before_request
        def before() -> None:
            seen.append(current_scope().request_id)

        @app.after_request
        def after(response: Response) -> Response:
            seen.append(response.headers.get("X-Request-ID"))
            response.headers["X-Ours"] = "1"
            return response

        response = self.client.get("/health/live", headers={"X-Request-ID": "mine"})
        self.assertEqual(seen, ["mine", None])
        self.assertEqual(
            [response.headers[name] for name in ("X-Ours", "X-Request-ID")], ["1", "mine"]
        )


class StepsTest(TestCase):
    def setUp(self) -> None:
        self.passed: list[str] = []
        self.app = Application("tests", secret_key="", max_body=100)
        self.enterContext(patch.object(self.app.logger, "disabled", new=True))

    def step(self, name: str, *, only: Callable[[Route], bool] = lambda _: True) -> Maker:
        def around(serve: Any, _request: Request, _scope: RequestScope) -> Response:
            self.passed.append(f"{name} around")
            response: Response = serve()
            return response

        step = Step(
            before=lambda *_: self.passed.append(f"{name} before"),
            around=around,
            after=lambda *_: self.passed.append(f"{name} after"),
            end=lambda *_: self.passed.append(f"{name} end"),
        )
        return lambda route: step if only(route) else None

    def answered(self, path: str, method: str = "GET") -> list[str]:
        self.passed.clear()
        self.app.test_client().open(path, method=method)
        return self.passed

    def test_they_lead_to_the_view_and_back(self) -> None:
        def view() -> str:
            self.passed.append("view")
            return ""

        self.app.pass_through([self.step("outer"), self.step("inner")])
        self.app.add_url_rule("/here", "here", public(view))
        self.app.add_url_rule("/broken", "broken", public(lambda: str(1 // 0)))
        there = ["outer before", "inner before", "outer around", "inner around"]
        back = ["inner after", "outer after", "inner end", "outer end"]
        self.assertEqual(self.answered("/here"), [*there, "view", *back])
        self.assertEqual(self.answered("/broken"), [*there, *back])
        self.assertEqual(self.answered("/nowhere"), [*there, *back])
        self.assertEqual(self.answered("/here", "OPTIONS"), [*there, *back])

    def test_one_that_answers_ends_the_way(self) -> None:
        stop: Maker = lambda _: Step(before=lambda *_: Response("stopped"))  # noqa: E731
        self.app.pass_through([self.step("outer"), stop, self.step("inner")])
        self.app.add_url_rule("/here", "here", public(lambda: ""))
        self.assertEqual(
            self.answered("/here"),
            ["outer before", "inner after", "outer after", "inner end", "outer end"],
        )

    def test_each_is_made_once_a_route(self) -> None:
        made: list[tuple[str | None, str]] = []
        self.app.pass_through([self.step("one", only=lambda route: note(route, made))])
        self.app.add_url_rule("/here", "here", public(lambda: ""))
        self.app.pipeline.prepare()
        before = sorted(made, key=str)
        for path, method in (("/here", "GET"), ("/here", "HEAD"), ("/nowhere", "GET")):
            self.answered(path, method)
        self.assertEqual(sorted(made, key=str), before)
        self.assertEqual(self.answered("/here"), [])
        self.assertEqual(
            self.answered("/nowhere"), ["one before", "one around", "one after", "one end"]
        )

    def test_nothing_of_a_request_is_left_for_the_next(self) -> None:
        self.app.pass_through([])
        outside = current_scope()
        self.app.add_url_rule("/here", "here", public(lambda: str(current_scope() is outside)))
        self.assertEqual(self.app.test_client().get("/here").text, "False")
        self.assertIs(current_scope(), outside)

    def test_a_request_that_a_test_client_keeps_ends_once(self) -> None:
        self.app.pass_through([self.step("one")])
        self.app.add_url_rule("/here", "here", public(lambda: ""))

        def ask() -> None:
            with self.app.test_client() as client:
                for path in ("/here", "/nowhere", "/here"):
                    client.get(path)
                    self.assertEqual(request.path, path)

        Context().run(ask)  # Other tests may have left a scope.
        steps = ["one before", "one around", "one after", "one end"]
        self.assertEqual(self.passed, steps * 3)


def note(route: Route, made: list[tuple[str | None, str]]) -> bool:
    made.append((route.endpoint, route.method))
    return route.endpoint is None


def name_of(function: Any) -> str:
    """Return the name of the function that a line of the pipeline calls."""
    name: str = getattr(function, "func", function).__qualname__
    return name.partition(".<locals>")[0]

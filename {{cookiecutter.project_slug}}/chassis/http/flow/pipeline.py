"""The pipeline of steps that a request passes. A route has only the steps that can matter to it.

A step is a function `step(route) -> Step | None`. The application calls it once for each route, at
the start. The function returns what to do for that route; None leaves the step out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Flask, Request, Response

from chassis.core.request_scope import RequestScope, current_scope, leave_scope
from chassis.http.flow.view_functions import view_of

Serve = Callable[[], Response]
Before = Callable[[Request, RequestScope], Any]
Around = Callable[[Serve, Request, RequestScope], Response]
After = Callable[[Response, Request, RequestScope], None]
End = Callable[[Request, RequestScope], None]


@dataclass(frozen=True, slots=True)
class Route:
    """An endpoint with a method; for URLs that match no rule, a route without an endpoint."""

    endpoint: str | None = None
    method: str = ""
    function: Any = None  # The function that Flask calls.
    view: Any = None  # The function that serves the method, in a MethodView one of several.

    @property
    def is_operation(self) -> bool:
        return self.endpoint is not None and self.method != "OPTIONS"

    @property
    def blueprint(self) -> str:
        return (self.endpoint or "").rpartition(".")[0]


@dataclass(frozen=True, slots=True)
class Step:
    """What a step does for one route.

    `before` runs before the view, in the order of the steps; if it returns a response, the view
    does not run. `around` wraps the view, the first step outermost. `after` changes the response in
    place, and `end` releases what the step holds. Both run in the opposite order, after errors too.
    """

    before: Before | None = None
    around: Around | None = None
    after: After | None = None
    end: End | None = None


Maker = Callable[[Route], Step | None]


class Plan:
    """The steps of one route."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self.befores = [step.before for step in steps if step.before]
        self.arounds = [step.around for step in reversed(steps) if step.around]
        self.afters = [step.after for step in reversed(steps) if step.after]
        self.ends = [step.end for step in reversed(steps) if step.end]

    def serve(self, view: Serve, scope: RequestScope) -> Response:
        for around in self.arounds:
            view = _within(around, view, scope)
        return view()


def _within(around: Around, view: Serve, scope: RequestScope) -> Serve:
    return lambda: around(view, scope.request, scope)


class Pipeline:
    def __init__(self, app: Flask, makers: Sequence[Maker]) -> None:
        """Hooks that are registered later run behind the pipeline, and see responses before it."""
        self._app = app
        self._makers = makers
        self._plans: dict[tuple[str | None, str], Plan] = {}
        app.before_request(self.enter)
        app.after_request(self.leave)
        app.teardown_request(self.end)

    def prepare(self) -> None:
        """Make the steps of every route."""
        for rule in self._app.url_map.iter_rules():
            for method in rule.methods or ():
                self.plan(rule.endpoint, method)
        self.plan(None, "")

    def enter(self) -> Any:
        scope = current_scope()
        for before in self._choose(scope).befores:
            response = before(scope.request, scope)
            if response is not None:
                return response
        return None

    def leave(self, response: Response) -> Response:
        scope = current_scope()
        for after in (scope.plan or self._choose(scope)).afters:
            after(response, scope.request, scope)
        return response

    def end(self, _error: BaseException | None) -> None:
        scope = current_scope()
        if scope.request is None:  # `with app.test_client()` ends a request a second time.
            return
        try:
            for end in (scope.plan or self._choose(scope)).ends:
                end(scope.request, scope)
        finally:
            leave_scope()

    def _choose(self, scope: RequestScope) -> Plan:
        request: Request = scope.request
        if request.routing_exception:
            plan = self.plan(None, "OPTIONS" if request.method == "OPTIONS" else "")
        else:
            plan = self.plan(request.endpoint, request.method)
        scope.plan = plan
        return plan

    def plan(self, endpoint: str | None, method: str) -> Plan:
        plan = self._plans.get((endpoint, method))
        if plan is None:
            route = self._route(endpoint, method)
            plan = Plan([step for make in self._makers if (step := make(route))])
            self._plans[endpoint, method] = plan
        return plan

    def _route(self, endpoint: str | None, method: str) -> Route:
        if endpoint is None:
            return Route(method=method)
        function = self._app.view_functions[endpoint]
        view = None if method == "OPTIONS" else view_of(self._app, endpoint, method)
        return Route(endpoint, method, function, view)

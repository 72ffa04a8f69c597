"""A team's hook runs where Flask runs it: compares each kind with and without the shortcut."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from unittest import TestCase
from unittest.mock import patch

from flask import Blueprint, Flask, Response, after_this_request, signals
from flask.sessions import SecureCookieSessionInterface
from werkzeug.routing import Rule

from chassis.http.access.policies import public
from chassis.http.fast import direct_flask
from chassis.http.flow.application import Application
from chassis.http.flow.pipeline import Step

Register = Callable[[Flask, Blueprint, list[str]], object]


def note(calls: list[str], name: str, *, returns: Any = None) -> Callable[..., Any]:
    def hook(first: Any = None, *_: Any, **__: Any) -> Any:
        calls.append(name)
        return first if isinstance(first, Response) else returns

    return hook


REGISTRATIONS: dict[str, Register] = {
    "none": lambda _app, _blueprint, _calls: None,
    "before": lambda app, _, calls: app.before_request(note(calls, "before")),
    "instead": lambda app, _, calls: app.before_request(note(calls, "instead", returns="other")),
    "after": lambda app, _, calls: app.after_request(note(calls, "after")),
    "teardown": lambda app, _, calls: app.teardown_request(note(calls, "teardown")),
    "app teardown": lambda app, _, calls: app.teardown_appcontext(note(calls, "context")),
    "blueprint's before": lambda _, own, calls: own.before_request(note(calls, "before")),
    "blueprint's after": lambda _, own, calls: own.after_request(note(calls, "after")),
    "blueprint's teardown": lambda _, own, calls: own.teardown_request(note(calls, "teardown")),
    "preprocessor": lambda app, _, calls: app.url_value_preprocessor(note(calls, "values")),
    "sessions": lambda app, _, __: setattr(
        app, "session_interface", SecureCookieSessionInterface()
    ),
}


class HooksTest(TestCase):
    def called(self, register: Register, path: str) -> Any:
        calls: list[str] = []
        app = Application("hooks", secret_key="", max_body=1)
        self.enterContext(patch.object(app.logger, "disabled", new=True))
        own = Step(
            before=note(calls, "step"),
            after=lambda *_: calls.append("step after"),
            end=lambda *_: calls.append("step end"),
        )
        app.pass_through([lambda _route: own])
        app.url_map.add(Rule("/nothing", endpoint="nothing", methods=["GET"]))
        app.view_functions["nothing"] = public(note(calls, "view"))  # It returns nothing.
        for name in ("request_started", "request_finished", "request_tearing_down"):
            receiver = note(calls, name)
            signal: Any = getattr(signals, name)
            self.enterContext(signal.connected_to(receiver, app))
        blueprint = Blueprint("own", __name__)

        @blueprint.get("/own")
        @public
        def view() -> str:
            after_this_request(note(calls, "after this"))
            return "own"

        blueprint.get("/plain")(public(note(calls, "view", returns="plain")))
        register(app, blueprint, calls)
        app.register_blueprint(blueprint)
        response = app.test_client().get(path)
        return response.status_code, response.get_data(), dict(response.headers), calls

    def test_each_kind_of_hook_is_called_alike(self) -> None:
        for name, register in REGISTRATIONS.items():
            for path in ("/own", "/plain", "/nothing", "/nowhere"):
                with self.subTest(name, path=path):
                    found = self.called(register, path)
                    with patch.object(direct_flask, "ENABLED", new=False):
                        self.assertEqual(found, self.called(register, path))
                    self.assertIn("step end", found[-1])

    @patch.object(direct_flask, "ENABLED", new=True)
    def test_flask_is_not_asked_without_any(self) -> None:
        names = ("preprocess_request", "process_response", "do_teardown_request")
        with ExitStack() as stack:
            for name in names:
                stack.enter_context(patch.object(Flask, name, side_effect=AssertionError))
            self.assertEqual(self.called(REGISTRATIONS["none"], "/plain")[0], 200)

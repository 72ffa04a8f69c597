"""Flask without look-ups that give the same result for every request."""

from typing import Any

from flask import Flask, Request, Response
from flask.globals import request_ctx
from flask.sessions import SessionInterface, SessionMixin
from flask.signals import appcontext_tearing_down, request_finished, request_tearing_down
from werkzeug.routing import MapAdapter

from chassis.core.request_scope import current_scope
from chassis.http.fast.direct_request import DirectRequest
from chassis.http.fast.direct_routes import DirectAdapter, DirectMap

ENABLED = True  # Tests set False, and Flask does everything.
MOST_HOSTS = 64  # Values of Host that are remembered.


class NoSessions(SessionInterface):
    """No sessions: callers have tokens, so no cookie is read or signed."""

    def open_session(self, app: Flask, request: Request) -> None:
        del app, request

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        raise NotImplementedError


class DirectFlask(Flask):
    request_class = DirectRequest
    url_map_class = DirectMap
    session_interface = NoSessions()

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._hosts: dict[tuple[str, ...], tuple[str, str]] = {}
        self.call_directly(None)

    def call_directly(self, own_hooks: Any) -> None:
        """Call these methods `enter`, `leave` and `end` directly while they are the only hooks."""
        self._own_hooks = own_hooks
        # As Flask's own lists of hooks look then, blueprints included.
        self._enter, self._leave, self._end = (
            {None: [getattr(own_hooks, name, None)]} for name in ("enter", "leave", "end")
        )

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Flask's adapter; the part that Flask computes from the Host header is cached."""
        if ENABLED and request is None and self.config["SERVER_NAME"] is None:
            return None
        if request is None or not ENABLED or not self._is_by_host_alone(request.environ):
            return super().create_url_adapter(request)
        trusted = self.config["TRUSTED_HOSTS"]
        key = request.scheme, request.environ["HTTP_HOST"], *(trusted or ())
        remembered = self._hosts.get(key)
        if remembered is None:
            adapter = super().create_url_adapter(request)
            if adapter and len(self._hosts) < MOST_HOSTS:
                self._hosts[key] = request.host, adapter.server_name
            return adapter
        request.trusted_hosts = trusted
        request.host, name = remembered
        return DirectAdapter(
            self.url_map,
            name,
            request.root_path,
            self.url_map.default_subdomain,
            request.scheme,
            request.path,
            request.method,
            request.environ.get("QUERY_STRING"),
        )

    def _is_by_host_alone(self, environ: dict[str, Any]) -> bool:
        matches_hosts = self.url_map.host_matching or self.subdomain_matching
        if matches_hosts or self.config["SERVER_NAME"] is not None:
            return False
        return "HTTP_HOST" in environ and environ.get("QUERY_STRING", "").isascii()

    def make_response(self, rv: Any) -> Response:
        """Return a Response as it is; Flask would first test for every other type."""
        return rv if isinstance(rv, Response) else super().make_response(rv)

    def preprocess_request(self) -> Any:
        is_alone = ENABLED and self.before_request_funcs == self._enter
        if self.url_value_preprocessors or not is_alone:
            return super().preprocess_request()
        return self._own_hooks.enter()

    def dispatch_request(self) -> Any:
        request: Request = current_scope().request
        if not ENABLED or request.routing_exception or request.method == "OPTIONS":
            return super().dispatch_request()
        return self.view_functions[request.endpoint](**request.view_args)  # type: ignore[index, arg-type]

    def process_response(self, response: Response) -> Response:
        is_alone = ENABLED and self.after_request_funcs == self._leave
        has_sessions = type(self.session_interface) is not NoSessions
        if not is_alone or has_sessions or request_ctx._after_request_functions:  # noqa: SLF001
            return super().process_response(response)
        left: Response = self._own_hooks.leave(response)
        return left

    def finalize_request(self, rv: Any, from_error_handler: bool = False) -> Response:  # noqa: FBT001, FBT002
        if not ENABLED or from_error_handler or not isinstance(rv, Response):
            return super().finalize_request(rv, from_error_handler)
        response = self.process_response(rv)
        if request_finished.receivers:
            request_finished.send(self, _async_wrapper=self.ensure_sync, response=response)
        return response

    def do_teardown_request(self, *error: Any) -> None:
        if not error or not ENABLED or self.teardown_request_funcs != self._end:
            super().do_teardown_request(*error)
            return
        self._own_hooks.end(*error)
        if request_tearing_down.receivers:
            request_tearing_down.send(self, _async_wrapper=self.ensure_sync, exc=error[0])

    def do_teardown_appcontext(self, *error: Any) -> None:
        if not ENABLED or self.teardown_appcontext_funcs or appcontext_tearing_down.receivers:
            super().do_teardown_appcontext(*error)

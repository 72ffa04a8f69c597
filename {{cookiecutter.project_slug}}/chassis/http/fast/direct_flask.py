"""Flask, without what it looks up for each request and finds the same each time."""

from typing import Any

from flask import Flask, Request, Response
from flask.globals import request_ctx
from flask.sessions import SessionInterface, SessionMixin
from flask.signals import request_tearing_down
from werkzeug.routing import MapAdapter

ENABLED = True  # A test may leave everything to Flask.
MOST_HOSTS = 64


class NoSessions(SessionInterface):
    """Who asks is in a token: a cookie is neither read nor signed."""

    def open_session(self, app: Flask, request: Request) -> None:
        del app, request

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        raise NotImplementedError


class DirectFlask(Flask):
    """`own_hooks` are called directly as long as nobody registered another one."""

    session_interface = NoSessions()
    own_hooks: Any = None  # Before a request, after it and at its end: `enter`, `leave`, `end`.

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._hosts: dict[tuple[str, ...], tuple[str, str]] = {}

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """As Flask makes it; but what it works out of a Host is remembered."""
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
        return MapAdapter(
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
        """Of a view that made one itself, that: Flask looks first for all else that it may be."""
        return rv if isinstance(rv, Response) else super().make_response(rv)

    def preprocess_request(self) -> Any:
        if self.url_value_preprocessors or not self._is_alone("enter", self.before_request_funcs):
            return super().preprocess_request()
        return self.own_hooks.enter()

    def process_response(self, response: Response) -> Response:
        is_alone = self._is_alone("leave", self.after_request_funcs)
        has_sessions = type(self.session_interface) is not NoSessions
        if not is_alone or has_sessions or request_ctx._after_request_functions:  # noqa: SLF001
            return super().process_response(response)
        left: Response = self.own_hooks.leave(response)
        return left

    def do_teardown_request(self, *error: Any) -> None:
        if not error or not self._is_alone("end", self.teardown_request_funcs):
            super().do_teardown_request(*error)
            return
        self.own_hooks.end(*error)
        request_tearing_down.send(self, _async_wrapper=self.ensure_sync, exc=error[0])

    def _is_alone(self, name: str, hooks: dict[Any, list[Any]]) -> bool:
        """Whether the only hook of a kind, of the application and of all blueprints, is its own."""
        if not ENABLED or self.own_hooks is None or len(hooks) != 1:
            return False
        return hooks.get(None) == [getattr(self.own_hooks, name)]

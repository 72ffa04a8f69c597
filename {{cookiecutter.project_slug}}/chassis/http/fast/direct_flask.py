"""Flask without look-ups that give the same result for every request."""

from typing import Any

from flask import Flask, Request, Response
from flask.globals import request_ctx
from flask.sessions import SessionInterface, SessionMixin
from flask.signals import request_tearing_down
from werkzeug.routing import MapAdapter

ENABLED = True  # Tests set False, and Flask does everything.
MOST_HOSTS = 64


class NoSessions(SessionInterface):
    """No sessions: callers have tokens, so no cookie is read or signed."""

    def open_session(self, app: Flask, request: Request) -> None:
        del app, request

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        raise NotImplementedError


class DirectFlask(Flask):
    """Calls `own_hooks` directly while no other hooks are registered."""

    session_interface = NoSessions()
    own_hooks: Any = None  # Has the methods `enter`, `leave` and `end`.

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._hosts: dict[tuple[str, ...], tuple[str, str]] = {}

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Flask's adapter; the part that Flask computes from the Host header is cached."""
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
        """Return a Response as it is; Flask would first test for every other type."""
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
        """Whether the only hook of this kind, blueprints included, is that of `own_hooks`."""
        if not ENABLED or self.own_hooks is None or len(hooks) != 1:
            return False
        return hooks.get(None) == [getattr(self.own_hooks, name)]

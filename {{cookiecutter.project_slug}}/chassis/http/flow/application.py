from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

from flask import Flask, Request, Response
from flask.sessions import SessionInterface, SessionMixin
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import MapAdapter

from chassis.core.request_scope import current_scope, enter_scope
from chassis.http.access.policies import require_policies
from chassis.http.flow.pipeline import Maker, Pipeline, Plan
from chassis.http.input.input_gate import IdConverter

ENABLED = True  # A test may leave hosts to Flask.
MOST_HOSTS = 64


class NoSessions(SessionInterface):
    """Who asks is in a token: a cookie is neither read nor signed."""

    def open_session(self, app: Flask, request: Request) -> None:
        del app, request

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        raise NotImplementedError


class Application(Flask):
    """Flask, where each request has a scope and passes a pipeline."""

    session_interface = NoSessions()
    pipeline: Pipeline

    def __init__(self, name: str, *, secret_key: str, max_body: int) -> None:
        """`max_body` is in bytes."""
        super().__init__(name, static_folder=None)
        self._hosts: dict[tuple[str, ...], tuple[str, str]] = {}
        self.debug = False  # FLASK_DEBUG would leave unforeseen errors to the server.
        self.secret_key = secret_key
        self.config["MAX_CONTENT_LENGTH"] = max_body
        self.url_map.converters["int"] = IdConverter
        # A URL is right or it is not: no redirect to one that looks alike.
        self.url_map.merge_slashes = False
        self.url_map.redirect_defaults = False

    def pass_through(self, steps: Sequence[Maker]) -> None:
        self.pipeline = Pipeline(self, steps)

    def start(self, *, proxy_hops: int) -> None:
        """When all routes are there. Raise UndeclaredAccessError if one has no policy."""
        require_policies(self)
        self.pipeline.prepare()
        if proxy_hops:
            # Not the host: TRUSTED_HOSTS are asked for what the proxy passes on.
            proxied = ProxyFix(self.wsgi_app, x_for=proxy_hops, x_proto=proxy_hops)
            self.wsgi_app = proxied  # type: ignore[method-assign]

    def request_context(self, environ: dict[str, Any]) -> Any:
        # Werkzeug would look for a route of web sockets. Who asks for one gets what there is.
        environ.pop("HTTP_UPGRADE", None)
        context = super().request_context(environ)
        enter_scope(context.request)
        return context

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Flask would look at every hook and view in every request: none is a coroutine."""
        return func

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

    def dispatch_request(self) -> Response:
        plan: Plan = current_scope().plan
        return plan.serve(self._view)

    def _view(self) -> Response:
        return self.make_response(super().dispatch_request())

    def finalize_request(self, rv: Any, from_error_handler: bool = False) -> Response:  # noqa: FBT001, FBT002
        response: Response = super().finalize_request(rv, from_error_handler)
        current_scope().status = response.status_code  # What is sent; for logs and metrics.
        return response

    def log_exception(
        self,
        exc_info: tuple[type, BaseException, TracebackType] | tuple[None, None, None],
    ) -> None:
        """Without the path, which is the caller's."""
        self.logger.error("An unforeseen error.", exc_info=exc_info)

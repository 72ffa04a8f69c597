import random
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from flask import Flask, Request, Response, g
from flask.ctx import RequestContext
from flask.sessions import SessionInterface, SessionMixin
from werkzeug.routing import MapAdapter

from chassis.core.attempt import Attempt, attempting
from chassis.core.errors import CollisionError
from chassis.http.flow.current_request import present_request
from chassis.http.flow.idempotency import answer_once
from chassis.http.output.etags import attempt

ENABLED = True  # A test may leave hosts to Flask.
MOST_HOSTS = 64
RETRIES = 3
LONGEST_PAUSE = 0.05


class NoSessions(SessionInterface):
    """Who asks is in a token: a cookie is neither read nor signed."""

    def open_session(self, app: Flask, request: Request) -> None:
        del app, request

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        raise NotImplementedError


class Application(Flask):
    """Flask, where each view is dispatched so that it keeps what HTTP promises of it.

    A view that collided with another transaction is dispatched again: nothing was sent, and unless
    something was committed, nothing has happened.
    """

    session_interface = NoSessions()

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._hosts: dict[tuple[str, ...], tuple[str, str]] = {}

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Flask would look at every hook and view in every request: none is a coroutine."""
        return func

    def request_context(self, environ: dict[str, Any]) -> RequestContext:
        """Werkzeug would look for a route of web sockets. Who asks for one gets what there is."""
        environ.pop("HTTP_UPGRADE", None)
        return super().request_context(environ)

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
        asked = present_request()
        if asked.routing_exception or asked.method == "OPTIONS":
            return self._answer()
        for _ in range(RETRIES):
            this = attempt()
            try:
                return self._dispatch(this)
            except CollisionError:
                if this.committed:
                    raise
            time.sleep(random.uniform(0, LONGEST_PAUSE))  # noqa: S311  # Not both at once again.
        return self._dispatch(attempt())

    def _dispatch(self, this: Attempt) -> Response:
        with attempting(this):
            return answer_once(self._answer)

    def _answer(self) -> Response:
        return self.make_response(super().dispatch_request())

    def finalize_request(self, rv: Any, from_error_handler: bool = False) -> Response:  # noqa: FBT001, FBT002
        response: Response = super().finalize_request(rv, from_error_handler)
        g.status = response.status_code  # What is sent; for logs and metrics.
        return response

    def log_exception(
        self,
        exc_info: tuple[type, BaseException, TracebackType] | tuple[None, None, None],
    ) -> None:
        """Without the path, which is the caller's."""
        self.logger.error("An unforeseen error.", exc_info=exc_info)

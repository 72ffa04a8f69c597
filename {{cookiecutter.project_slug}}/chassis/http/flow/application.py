import random
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from flask import Flask, Request, Response, g
from flask.ctx import RequestContext
from flask.sessions import SessionInterface, SessionMixin

from chassis.core.attempt import Attempt, attempting
from chassis.core.errors import CollisionError
from chassis.http.flow.current_request import present_request
from chassis.http.flow.idempotency import answer_once
from chassis.http.output.etags import attempt

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

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Flask would look at every hook and view in every request: none is a coroutine."""
        return func

    def request_context(self, environ: dict[str, Any]) -> RequestContext:
        """Werkzeug would look for a route of web sockets. Who asks for one gets what there is."""
        environ.pop("HTTP_UPGRADE", None)
        return super().request_context(environ)

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

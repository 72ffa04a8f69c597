from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

from flask import Response
from werkzeug.middleware.proxy_fix import ProxyFix

from chassis.core.errors import CodeError
from chassis.core.request_scope import current_scope, enter_scope
from chassis.http.access.policies import require_policies
from chassis.http.fast.direct_flask import DirectFlask
from chassis.http.flow.controllers import require_injected
from chassis.http.flow.output_fields import require_output_fields
from chassis.http.flow.path_parameters import require_path_parameters
from chassis.http.flow.pipeline import Maker, Pipeline, Plan
from chassis.http.input.input_gate import IdConverter


class Application(DirectFlask):
    """Flask with a scope and a pipeline for each request."""

    pipeline: Pipeline

    def __init__(self, name: str, *, secret_key: str, max_body: int) -> None:
        """`max_body` is in bytes."""
        super().__init__(name, static_folder=None)
        self.debug = False  # With FLASK_DEBUG, unforeseen errors would reach the server.
        self.secret_key = secret_key
        self.config["MAX_CONTENT_LENGTH"] = max_body
        self.url_map.converters["int"] = IdConverter
        # A wrong URL is a 404: no redirect to a similar one.
        self.url_map.merge_slashes = False
        self.url_map.redirect_defaults = False

    def pass_through(self, steps: Sequence[Maker]) -> None:
        self.pipeline = Pipeline(self, steps)
        self.call_directly(self.pipeline)

    def start(self, *, proxy_hops: int) -> None:
        """Call this after the last route.

        Raise UndeclaredAccessError if one has no policy, ControllerError if one lacks a service, a
        parameter of its path or a field of its response, CodeError if two share path and method.
        """
        require_policies(self)
        require_injected(self)
        require_path_parameters(self)
        require_output_fields(self)
        self._require_own_paths()
        self.pipeline.prepare()
        if proxy_hops:
            # X-Forwarded-Host is not used: TRUSTED_HOSTS applies to the Host header.
            proxied = ProxyFix(self.wsgi_app, x_for=proxy_hops, x_proto=proxy_hops)
            self.wsgi_app = proxied  # type: ignore[method-assign]

    def _require_own_paths(self) -> None:
        """Raise CodeError if two operations share path and method: Werkzeug would serve one."""
        served: dict[tuple[str, str], str] = {}
        for rule in self.url_map.iter_rules():
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                other = served.setdefault((rule.rule, method), rule.endpoint)
                if other != rule.endpoint:
                    raise CodeError(
                        f"{method} {rule.rule} would be answered by both {other} and "
                        f"{rule.endpoint}. Give one of them another path."
                    )

    def request_context(self, environ: dict[str, Any]) -> Any:
        # Werkzeug would look for a WebSocket route. There is none, so HTTP answers.
        environ.pop("HTTP_UPGRADE", None)
        context = super().request_context(environ)
        if "CONTENT_LENGTH" in environ:  # Else each request would look it up several times.
            context.request.max_content_length = self.config["MAX_CONTENT_LENGTH"]
        enter_scope(context.request)
        return context

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function: none is a coroutine, and Flask would test each in every request."""
        return func

    def dispatch_request(self) -> Response:
        scope = current_scope()
        plan: Plan = scope.plan
        return plan.serve(self._view, scope)

    def _view(self) -> Response:
        return self.make_response(super().dispatch_request())

    def finalize_request(self, rv: Any, from_error_handler: bool = False) -> Response:  # noqa: FBT001, FBT002
        response = super().finalize_request(rv, from_error_handler)
        current_scope().status = response.status_code  # For logs and metrics.
        return response

    def log_exception(
        self,
        exc_info: tuple[type, BaseException, TracebackType] | tuple[None, None, None],
    ) -> None:
        """Log the error without the path, because a caller chose the path."""
        self.logger.error("An unforeseen error.", exc_info=exc_info)

"""Traces with OpenTelemetry, an extra that is off by default and then not imported."""

from collections.abc import Callable, Sequence
from multiprocessing.util import Finalize
from typing import Any

from flask import Flask
from sqlalchemy import Connection, Engine, ExceptionContext, event

from chassis.postgres.engines import Engines
from chassis.settings import ConfigError, Settings

NEEDED = (
    "OTEL_EXPORTER_OTLP_ENDPOINT needs packages that are not installed ({}). To install them: {}"
)
INSTALL = "`pip install --require-hashes -r requirements/telemetry.txt`."
# Attributes with the URL: they may hold a secret, and have no limited set of values.
SENT = {"http.target", "http.url", "http.host", "http.user_agent", "net.host.name", "url.path"}
SENT |= {"url.query", "url.full", "user_agent.original", "server.address"}
ROUTE = "http.route"


class DiscreetExporter:
    """Exports spans without the attributes and events that a caller's values could reach."""

    def __init__(self, exporter: Any) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[Any]) -> Any:
        return self._exporter.export([_discreet(span) for span in spans])

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        return bool(self._exporter.force_flush(timeout_millis))


def register_telemetry(app: Flask, config: Settings, engines: Callable[[], Engines]) -> None:
    """Register traces, before the pipeline, so that rejected requests are traced too.

    Raise ConfigError if the setting is set and the packages are not installed.
    """
    if provider := make_tracer_provider(config):
        from opentelemetry.instrumentation.flask import FlaskInstrumentor  # noqa: PLC0415

        app.extensions["tracer_provider"] = provider
        FlaskInstrumentor().instrument_app(app, tracer_provider=provider)  # type: ignore[no-untyped-call]
        trace_engines(engines(), provider)


def make_tracer_provider(config: Settings) -> Any:
    """Return None without an endpoint. Raise ConfigError if a package is not installed."""
    if not config.otel_exporter_otlp_endpoint:
        return None
    try:
        import opentelemetry.instrumentation.flask  # noqa: F401, PLC0415
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError(NEEDED.format(error.name, INSTALL)) from error
    about = {"service.name": config.name, "service.version": config.version}
    # Before Python 3.13, a forked process does not run Python's own exit handlers.
    provider = TracerProvider(resource=Resource.create(about), shutdown_on_exit=False)
    Finalize(provider, provider.shutdown, exitpriority=0)
    exporter = OTLPSpanExporter(f"{config.otel_exporter_otlp_endpoint.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(DiscreetExporter(exporter)))  # type: ignore[arg-type]
    return provider


def trace_engines(engines: Engines, provider: Any) -> None:
    for engine in (engines.write, engines.read, engines.replica):
        if engine:
            trace_statements(engine, provider.get_tracer(__name__))


def trace_statements(engine: Engine, tracer: Any) -> None:
    """Make a span for each statement: OpenTelemetry does not instrument SQLAlchemy 2.1 yet."""
    from opentelemetry.trace import SpanKind, StatusCode  # noqa: PLC0415

    @event.listens_for(engine, "before_cursor_execute")
    def begin(connection: Connection, _: Any, statement: str, *__: Any) -> None:
        attributes = {"db.system.name": "postgresql", "db.query.text": statement}
        name = statement.split(maxsplit=1)[0]
        connection.info["span"] = tracer.start_span(name, None, SpanKind.CLIENT, attributes)

    @event.listens_for(engine, "after_cursor_execute")
    def end(connection: Connection, *_: Any) -> None:
        connection.info.pop("span").end()

    @event.listens_for(engine, "handle_error")
    def fail(context: ExceptionContext) -> None:
        if context.connection and (span := context.connection.info.pop("span", None)):
            span.set_status(StatusCode.ERROR)
            span.end()


def _discreet(span: Any) -> Any:
    from opentelemetry.sdk.trace import ReadableSpan  # noqa: PLC0415
    from opentelemetry.trace import SpanKind, Status  # noqa: PLC0415

    attributes = {name: value for name, value in span.attributes.items() if name not in SENT}
    unmatched = span.kind is SpanKind.SERVER and ROUTE not in attributes
    return ReadableSpan(
        # An unmatched path would make too many names.
        name=span.name.partition(" ")[0] if unmatched else span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=attributes,
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code),  # Without text and events: exceptions.
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )

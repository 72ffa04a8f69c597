"""Continues the trace of the request that enqueued a job in the worker that runs the job."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def current_trace() -> str | None:
    """Return the `traceparent` of the current span (W3C Trace Context), None without one."""
    if "opentelemetry.sdk.trace" not in sys.modules:
        return None
    from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415  # An extra.
        TraceContextTextMapPropagator,
    )

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get("traceparent")


@contextmanager
def continued_trace(tracer: Any, task: str, job_id: str, trace: str | None) -> Iterator[None]:
    """Record one attempt as a child span of the enqueuing request. Do nothing without a tracer."""
    if tracer is None:
        yield
        return
    from opentelemetry.trace import SpanKind  # noqa: PLC0415
    from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415
        TraceContextTextMapPropagator,
    )

    context = TraceContextTextMapPropagator().extract({"traceparent": trace} if trace else {})
    attributes = {"messaging.operation.name": "process", "messaging.message.id": job_id}
    with tracer.start_as_current_span(
        f"process {task}", context=context, kind=SpanKind.CONSUMER, attributes=attributes
    ):
        yield

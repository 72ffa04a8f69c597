"""A trace goes on from the request that enqueued a job to the worker that does it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def current_trace() -> str | None:
    """`traceparent` of what is traced at present; None where nothing is."""
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
    """A span of one attempt, below the one that enqueued the job. Without a tracer, none."""
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

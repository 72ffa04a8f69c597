"""The trace of a request goes on in the attempts of the jobs that it enqueued."""

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from chassis.jobs.job_runner import JobRunner
from support.jobs import JobsTestCase


class TraceTest(JobsTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.ended = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self.ended))
        self.tracer = provider.get_tracer("tests")

    def attempt(self) -> ReadableSpan:
        found = [
            one for one in self.ended.get_finished_spans() if one.name == "process tests.write"
        ]
        self.assertEqual(len(found), 1)
        return found[0]

    def test_an_attempt_is_a_child_of_the_request_that_enqueued_the_job(self) -> None:
        with self.tracer.start_as_current_span("a request") as request:
            job_id = self.enqueue("one")
        JobRunner(self.container, self.tracer).run(job_id)
        attempt = self.attempt()
        assert attempt.context and attempt.parent and attempt.attributes
        self.assertEqual(attempt.context.trace_id, request.get_span_context().trace_id)
        self.assertEqual(attempt.parent.span_id, request.get_span_context().span_id)
        self.assertEqual(attempt.kind, SpanKind.CONSUMER)
        self.assertEqual(attempt.attributes["messaging.message.id"], str(job_id))

    def test_a_job_that_no_request_enqueued_begins_a_trace(self) -> None:
        job_id = self.enqueue("one")
        JobRunner(self.container, self.tracer).run(job_id)
        self.assertIsNone(self.attempt().parent)

    def test_without_a_tracer_a_job_with_a_trace_is_done(self) -> None:
        with self.tracer.start_as_current_span("a request"):
            self.enqueue("one")
        self.assertEqual((self.run_due(), self.texts()), (1, ["one"]))

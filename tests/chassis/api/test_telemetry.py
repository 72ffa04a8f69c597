"""Traces reach a collector, here one of the test."""

import importlib
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any
from unittest.mock import patch

# The instrumentation is imported before a test that restores sys.modules: imported in such a test,
# it would be imported twice, with two kinds of SpanKind.
import opentelemetry.instrumentation.flask  # noqa: F401
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from chassis.development.testing.http_cases import ApplicationTestCase, HttpTestCase
from chassis.http.access.policies import public
from chassis.observability import traces as telemetry
from chassis.settings import ConfigError

SECRET = "hunter2"
EXPORTER = "opentelemetry.exporter.otlp.proto.http.trace_exporter"


class Collector(HTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Receiver)
        self.received: list[tuple[str, bytes]] = []


class Receiver(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


class TracesTest(ApplicationTestCase):
    def setUp(self) -> None:
        self.collector = self.enterContext(Collector())
        thread = Thread(target=self.collector.serve_forever, args=[0.01])
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self.collector.shutdown)
        super().setUp()

    def start(self, **settings: Any) -> Any:
        url = f"http://127.0.0.1:{self.collector.server_port}"
        client = super().start(otel_exporter_otlp_endpoint=url, **settings)
        self.provider = client.application.extensions["tracer_provider"]
        self.addCleanup(self.provider.shutdown)
        return client

    def spans(self) -> Iterator[tuple[Any, Any]]:
        """Return the collected spans, each with its resource."""
        self.assertTrue(self.provider.force_flush())
        for path, body in self.collector.received:
            self.assertEqual(path, "/v1/traces")
            for found in ExportTraceServiceRequest.FromString(body).resource_spans:
                for scope in found.scope_spans:
                    yield from ((span, found.resource) for span in scope.spans)

    def query(self, rule: str, statement: str) -> None:
        engine = self.client.application.extensions["container"].engines().read

        def answer(**values: str) -> str:
            with engine.connect() as connection:
                connection.exec_driver_sql(statement, values)
            return ""

        self.client.application.add_url_rule(rule, "query", public(answer))

    def test_a_request_and_its_statements_are_one_trace(self) -> None:
        self.query("/one", "SELECT 1")
        self.assertEqual(self.client.get("/one").status_code, 200)
        spans = list(self.spans())
        [(request, resource)] = [both for both in spans if both[0].name == "GET /one"]
        about = {item.key: item.value.string_value for item in resource.attributes}
        self.assertEqual((about["service.name"], about["service.version"]), ("tests", "1.2.3"))
        below = [span for span, _ in spans if span.parent_span_id == request.span_id]
        self.assertIn("SELECT", [span.name for span in below])
        self.assertEqual({span.trace_id for span in below}, {request.trace_id})

    def test_nothing_that_was_sent_goes_out(self) -> None:
        self.query("/fail/<value>", "SELECT CAST(%(value)s AS integer)")
        self.enterContext(patch.object(self.client.application.logger, "disabled", new=True))
        headers = {"User-Agent": SECRET, "Host": f"{SECRET}.example.org", "X-Key": SECRET}
        for method in ("GET", SECRET):
            for path in (f"/fail/{SECRET}", f"/{SECRET}?{SECRET}={SECRET}"):
                self.client.open(path, method=method, headers=headers)
        found = [span for span, _ in self.spans()]
        self.assertIn("GET /fail/<value>", [span.name for span in found])
        self.assertIn("GET", [span.name for span in found])
        self.assertNotIn(SECRET, str(found))


class TelemetryTest(HttpTestCase):
    def test_it_is_off_by_default_and_nothing_is_imported(self) -> None:
        others = {name: module for name, module in sys.modules.items() if "opentele" not in name}
        with patch.dict(sys.modules, others, clear=True):
            importlib.reload(telemetry)
            self.start()
            self.assertFalse([name for name in sys.modules if "opentele" in name])

    def test_what_is_missing_is_said_with_the_way_to_install_it(self) -> None:
        wanted = {"otel_exporter_otlp_endpoint": "http://127.0.0.1:1"}
        with (
            patch.dict(sys.modules, {EXPORTER: None}),
            self.assertRaisesRegex(ConfigError, "-r requirements/telemetry.txt"),
        ):
            self.start(**wanted)

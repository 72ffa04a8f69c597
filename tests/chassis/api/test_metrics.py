import re
import signal
import subprocess
import sys
from os import environ
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, cast
from unittest import TestCase
from unittest.mock import Mock, patch

from flask import abort

from chassis.cli.server import _serve
from chassis.development.testing.http_cases import HttpTestCase
from chassis.http.access.policies import public
from chassis.http.flow.maintenance_gate import ALWAYS_SERVED
from chassis.project import current_project
from support.configuration import CONFIG

# A server process with only the code that counts.
PROCESS = """
import os
from chassis.http.flow.request_record import RequestRecord
from chassis.observability.metrics import RequestMetrics
metrics = RequestMetrics(os.environ["PROMETHEUS_MULTIPROC_DIR"])
for status in (200, 503):
    metrics.count(RequestRecord(None, "GET", "/here", status, 0.1, None))
print("counted", flush=True)
input()
print(metrics.exposition().decode(), flush=True)
"""


class MetricsTest(HttpTestCase):
    def read(self) -> dict[str, float]:
        response = self.client.get("/metrics")
        self.assertEqual(response.status_code, 200)
        self.assertRegex(response.content_type, "^text/plain; version=")
        return samples(response.text)

    def changes(self, *requests: tuple[str, str]) -> dict[str, float]:
        before = self.read()
        for method, path in requests:
            self.client.open(path, method=method)
        return {name: value - before.get(name, 0) for name, value in self.read().items()}

    def test_requests_are_counted_by_method_route_and_status(self) -> None:
        def answer(number: int) -> str:
            abort(409) if number == 9 else None
            return ""

        self.client.application.add_url_rule("/numbered/<int:number>", "n", public(answer))
        sent = [("GET", f"/numbered/{number}") for number in (1, 2, 9)]
        counted = self.changes(*sent, ("HEAD", "/numbered/3"))
        of = 'method="{}",route="/numbered/<int:number>"'
        for method, status, times in (("GET", 200, 2), ("GET", 409, 1), ("HEAD", 200, 1)):
            name = f'http_requests_total{{{of.format(method)},status="{status}"}}'
            self.assertEqual(counted[name], times)
        seconds = f"http_request_duration_seconds_%s{{{of.format('GET')}}}"
        self.assertEqual(counted[seconds % "count"], 3)
        self.assertGreater(counted[seconds % "sum"], 0)

    def test_nobody_can_make_a_series(self) -> None:
        first = self.changes(("GET", "/nothing"), ("BREW", "/nothing"), ("BREW", "/health/live"))
        self.assertGreaterEqual(sum(first.values()), 3)
        self.assertIn('http_requests_total{method="GET",route="unmatched",status="404"}', first)
        self.assertIn('http_requests_total{method="other",route="unmatched",status="405"}', first)
        before = self.read().keys()
        self.changes(
            *((f"BREW{number}", f"/{number}") for number in range(9)),
            *((f"BREW{number}", "/health/live") for number in range(9)),
        )
        self.assertEqual(self.read().keys(), before)

    def test_they_are_there_in_maintenance_and_not_in_the_document(self) -> None:
        self.assertLessEqual(ALWAYS_SERVED, self.client.application.view_functions.keys())
        self.assertIn("metrics.read_metrics", ALWAYS_SERVED)
        self.assertNotIn("/metrics", self.client.get("/openapi.json").get_json()["paths"])


class ProcessesTest(TestCase):
    def setUp(self) -> None:
        self.directory = Path(self.enterContext(TemporaryDirectory()))

    def start(self) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-c", PROCESS],
            cwd=current_project().root,
            env=environ | {"PROMETHEUS_MULTIPROC_DIR": str(self.directory)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def assert_counted(self, *processes: "subprocess.Popen[str]") -> None:
        for process in processes:
            self.assertEqual(cast("IO[str]", process.stdout).readline(), "counted\n")

    def test_they_count_together_also_when_one_is_killed_and_another_comes(self) -> None:
        first, killed = self.start(), self.start()
        self.assert_counted(first, killed)
        files = {path.name for path in self.directory.iterdir()}
        self.assertEqual(len({name for name in files if name.startswith("counter")}), 2)
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        respawned = self.start()
        self.assert_counted(respawned)
        for process in (first, respawned):
            with self.subTest(process.pid):
                found = samples(process.communicate("\n")[0])
                labels = 'method="GET",route="/here"'
                self.assertEqual(found[f'http_requests_total{{{labels},status="503"}}'], 3)
                self.assertEqual(found[f"http_request_duration_seconds_count{{{labels}}}"], 6)
        self.assertEqual({path.name for path in self.directory.iterdir()}, files)

    def test_the_server_gives_them_a_directory_and_leaves_nothing(self) -> None:
        seen: list[Path] = []

        def serve() -> None:
            seen.append(Path(environ["PROMETHEUS_MULTIPROC_DIR"]))
            self.assertTrue(seen[0].is_dir())

        granian: Any = Mock(return_value=Mock(serve=serve))
        with (
            patch("chassis.cli.server.Granian", granian),
            patch("chassis.cli.server._require_free_port"),
        ):
            _serve(CONFIG, None, None, shared=False)
        self.assertFalse(seen[0].exists())
        self.assertNotIn("PROMETHEUS_MULTIPROC_DIR", environ)


def samples(text: str) -> dict[str, float]:
    return {name: float(value) for name, value in re.findall(r"^([a-z].*) (\S+)$", text, re.M)}

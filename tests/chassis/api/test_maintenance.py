"""Responses during a maintenance window, and the operations for windows."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from chassis.core import maintenance_service
from chassis.development.testing.bearer import bearer
from chassis.development.testing.http_cases import HttpTestCase
from chassis.development.testing.security_table import shows
from chassis.http.access.policies import public
from chassis.maintenance import drain
from chassis.maintenance.migrator import migrator
from chassis.operations import maintenance_windows
from chassis.postgres.locks import ask_write_fence
from src.create_app import create_app
from src.dependency_container import Container
from support.configuration import CONFIG
from support.specimens import Specimen, specimens
from support.windows import WindowTestCase

MAINTENANCE = "/ops/maintenance"
WINDOWS = f"{MAINTENANCE}/windows"

SOON = datetime.now(UTC) + timedelta(hours=1)


def serve_specimens(app: Flask, container: Container) -> None:
    specimens.create(container.engines().write)

    def read() -> list[str]:
        with container.unit_of_work()(read_only=True) as work:
            return list(work.connection.execute(specimens.select()).scalars("text"))

    def write() -> tuple[str, int]:
        with container.unit_of_work()() as work:
            work.repository(specimens, Specimen).add(Specimen(text="written"))
        return "", 201

    app.add_url_rule("/specimens", "read", public(read))
    app.add_url_rule("/specimens", "write", public(write), methods=["POST"])


class MaintenanceTestCase(WindowTestCase, HttpTestCase):
    """A service with specimens that reads the current window for every request."""

    app: Flask

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        config = replace(CONFIG, database_url=cls.database_url)
        cls.app = create_app(config)
        container = cls.app.extensions["container"]
        cls.addClassCleanup(container.unwire)
        cls.addClassCleanup(container.engines().dispose)
        serve_specimens(cls.app, container)

    def start(self, **_settings: Any) -> FlaskClient:
        for belief in ("CACHE_SECONDS", "CACHE_SECONDS_IN_A_WINDOW"):
            self.enterContext(patch.object(maintenance_service, belief, 0))
        self.enterContext(patch.object(drain, "SEEN_BY_ALL_SECONDS", 0))
        client = self.app.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = bearer(self.app)
        return client

    def assert_maintenance(self, response: TestResponse, path: str = "/specimens") -> None:
        problem = self.assert_problem(response, 503, "maintenance")
        self.assertEqual(problem["instance"], path)
        self.assertGreaterEqual(int(response.headers["Retry-After"]), 1)
        self.assertEqual(response.headers["Retry-After"], str(problem["retry_after"]))
        self.assertEqual(response.headers["Cache-Control"], "no-store")


class GateTest(MaintenanceTestCase):
    def bypass(self) -> dict[str, str]:
        service = self.app.extensions["container"].maintenance_service()
        return {"X-Maintenance-Bypass": service.bypass_token(60)}

    def test_without_a_window_everything_is_served(self) -> None:
        self.assertEqual(self.client.post("/specimens").status_code, 201)
        self.assertEqual(self.client.get("/specimens").get_json(), ["written"])
        self.assert_problem(self.client.get("/nothing"), 404, "not-found")
        state = self.client.get(MAINTENANCE)
        self.assertEqual((state.get_json()["mode"], state.get_json()["phase"]), ("off", "off"))
        self.assertEqual(state.headers["Cache-Control"], "max-age=1")

    def test_an_open_one_is_measured(self) -> None:
        self.assertIn('maintenance_window_open{mode="full"} 0.0', self.client.get("/metrics").text)
        self.insert_window(mode="full", begins=-90)
        text = self.client.get("/metrics").text
        self.assertIn('maintenance_window_open{mode="full"} 1.0', text)
        self.assertIn('maintenance_window_open{mode="read-only"} 0.0', text)
        self.assertRegex(text, r"\nmaintenance_window_seconds (89|9\d)\.")

    def test_a_read_only_one_refuses_writes_and_nothing_else(self) -> None:
        self.insert_window(mode="read-only")
        self.assertEqual(self.client.get("/specimens").get_json(), [])
        self.assert_maintenance(self.client.post("/specimens"))
        self.assertEqual(self.client.get("/specimens").get_json(), [])
        self.assert_problem(self.client.get("/nothing"), 404, "not-found")

    def test_a_full_one_refuses_reads_too(self) -> None:
        self.insert_window(mode="full")
        for method, path in (("GET", "/specimens"), ("POST", "/specimens"), ("GET", "/nothing")):
            self.assert_maintenance(self.client.open(path, method=method), path)

    def test_a_scheduled_one_refuses_nothing_until_it_begins(self) -> None:
        identity = self.insert_window(mode="full", phase="scheduled", begins=60, ends=120)
        self.assertEqual(self.client.get("/specimens").status_code, 200)
        state = self.client.get(MAINTENANCE).get_json()
        self.assertEqual((state["window_id"], state["mode"]), (identity, "off"))
        self.assertEqual((state["phase"], state["retry_after"]), ("scheduled", None))
        self.sql("UPDATE ops.window SET starts_at = starts_at - interval '90 s'")
        self.assert_maintenance(self.client.get("/specimens"))
        self.assertEqual(self.client.get(MAINTENANCE).get_json()["phase"], "active")

    def test_what_has_to_be_known_in_a_window_is_served(self) -> None:
        for phase in ("draining", "active", "migrating", "verifying", "failed"):
            with self.subTest(phase), migrator(self.database_url, wait=0):
                identity = self.insert_window(mode="full", phase=phase, message="Back at ten.")
                self.assertEqual(self.client.get("/health/live").status_code, 200)
                ready = self.client.get("/health/ready")
                self.assertEqual(ready.status_code, 200, ready.text)
                self.assertEqual(ready.get_json()["maintenance"]["phase"], phase)
                state = self.client.get(MAINTENANCE).get_json()
                self.assertEqual((state["window_id"], state["mode"]), (identity, "full"))
                self.assertEqual((state["phase"], state["message"]), (phase, "Back at ten."))
                self.assertGreaterEqual(state["retry_after"], 1)
                self.sql("UPDATE ops.window SET phase = 'off'")

    def test_what_a_browser_asks_first_is_answered(self) -> None:
        self.insert_window(mode="full")
        self.assertEqual(self.client.options("/specimens").status_code, 200)

    def test_callers_are_told_why_and_until_when(self) -> None:
        identity = self.insert_window(mode="full", message="Back at ten.", ends=100)
        problem = self.assert_problem(self.client.get("/specimens"), 503, "maintenance")
        self.assertEqual((problem["detail"], problem["window_id"]), ("Back at ten.", identity))
        self.assertEqual((problem["mode"], problem["phase"]), ("full", "active"))
        self.assertIn(problem["retry_after"], range(90, 121))
        self.assertIsNotNone(datetime.fromisoformat(problem["expected_end"]).tzinfo)

    def test_a_token_lets_its_bearer_in(self) -> None:
        for phase, status in (("active", 201), ("verifying", 201), ("failed", 503)):
            with self.subTest(phase):
                identity = self.insert_window(mode="full", phase=phase)
                bypass = self.bypass()
                self.assertEqual(self.client.get("/specimens", headers=bypass).status_code, 200)
                answer = self.client.post("/specimens", headers=bypass)
                self.assertEqual(answer.status_code, status, answer.text)
                self.assert_maintenance(self.client.get("/specimens"))
                self.assert_maintenance(self.client.post("/specimens"))
                self.sql("DELETE FROM ops.window WHERE id = :id", id=identity)
                self.sql("TRUNCATE specimens")

    def test_what_is_no_token_does_not(self) -> None:
        self.insert_window(mode="full")
        forged = f"{self.bypass()['X-Maintenance-Bypass'][:-1]}-"
        for token in ("", "x", forged, "v1.1.9999999999.", "\xff.\xfe"):
            with self.subTest(token):
                headers = {"X-Maintenance-Bypass": token}
                self.assert_maintenance(self.client.get("/specimens", headers=headers))


class WindowsTest(MaintenanceTestCase):
    def post(self, path: str = WINDOWS, **body: Any) -> TestResponse:
        return self.client.post(path, json=body)

    def test_one_is_opened_and_ended(self) -> None:
        opened = self.post(mode="full", duration_s=600, message="Back at ten.")
        self.assertEqual(opened.status_code, 201, opened.text)
        self.assertEqual(opened.headers["Location"], MAINTENANCE)
        identity = opened.get_json()["window_id"]
        self.assertEqual(self.client.get(MAINTENANCE).get_json()["window_id"], identity)
        self.assert_maintenance(self.client.get("/specimens"))
        window = self.last_window()
        self.assertEqual(window.hard_end - window.starts_at, timedelta(minutes=10))
        ended = self.post(f"{WINDOWS}/{identity}/end")
        self.assertEqual(ended.status_code, 200, ended.text)
        self.assertEqual(
            (ended.get_json()["window_id"], ended.get_json()["phase"]), (identity, "off")
        )
        self.assertEqual(self.client.post("/specimens").status_code, 201)
        self.assertEqual(self.events(), ["draining", "active", "completed"])
        self.assert_problem(self.post(f"{WINDOWS}/{identity}/end"), 404, "not-found")

    def test_one_is_scheduled_and_cancelled(self) -> None:
        scheduled = self.post(mode="read-only", starts_at=SOON.isoformat(), duration_s=60)
        self.assertEqual(scheduled.status_code, 201, scheduled.text)
        self.assertEqual(scheduled.get_json()["phase"], "scheduled")
        path = f"{WINDOWS}/{scheduled.get_json()['window_id']}"
        self.assertEqual(self.client.delete(path).status_code, 204)
        self.assertIsNone(self.client.get(MAINTENANCE).get_json()["window_id"])
        self.assert_problem(self.client.delete(path), 404, "not-found")

    @shows("V2.3.1")
    def test_there_is_one_at_a_time(self) -> None:
        first = self.post(mode="full").get_json()["window_id"]
        self.assertIsNone(self.last_window().hard_end)
        self.assert_problem(self.post(mode="full"), 409, "conflict")
        cancelled = self.client.delete(f"{WINDOWS}/{first}")
        self.assert_problem(cancelled, 404, "not-found")

    def test_what_is_scheduled_does_not_overlap(self) -> None:
        for later, status in ((0, 201), (30, 409), (60, 201)):
            begins = (SOON + timedelta(seconds=later)).isoformat()
            answer = self.post(mode="full", starts_at=begins, duration_s=60)
            self.assertEqual(answer.status_code, status, answer.text)

    def test_while_somebody_migrates_it_is_told(self) -> None:
        identity = self.insert_window(phase="migrating")
        with migrator(self.database_url, wait=0):
            for answer in (self.post(mode="full"), self.post(f"{WINDOWS}/{identity}/end")):
                self.assert_problem(answer, 409, "conflict")

    def test_who_does_not_stop_writing_keeps_it_closed(self) -> None:
        writer = self.connect("web:slow")
        ask_write_fence(writer)
        with patch.object(maintenance_windows, "PATIENCE", timedelta(milliseconds=50)):
            problem = self.assert_problem(self.post(mode="full"), 409, "conflict")
        self.assertIn("web:slow", problem["detail"])
        self.assertEqual(self.last_window().outcome, "aborted")
        self.assertEqual(self.client.post("/specimens").status_code, 201)

    def test_after_a_migration_that_failed_the_revision_has_to_be_named(self) -> None:
        path = f"{WINDOWS}/{self.insert_window(phase='failed')}/end"
        self.sql("CREATE TABLE IF NOT EXISTS alembic_version (version_num text)")
        self.assert_problem(self.post(path), 409, "conflict")
        self.assert_problem(self.post(path, accept_schema="nope"), 409, "conflict")
        self.assertEqual(self.last_window().phase, "failed")

    @shows("V2.2.3")
    def test_what_cannot_be_is_refused(self) -> None:
        past = datetime(2001, 1, 1, tzinfo=UTC).isoformat()
        last = "9999-12-31T23:59:00+00:00"
        for body in (
            {},
            {"mode": "none"},
            {"mode": "full", "starts_at": "2101-01-01T00:00:00", "duration_s": 60},
            {"mode": "full", "starts_at": past, "duration_s": 60},
            {"mode": "full", "starts_at": "soon", "duration_s": 60},
            {"mode": "full", "starts_at": SOON.isoformat()},
            {"mode": "full", "starts_at": last, "duration_s": 86_400},
            {"mode": "full", "duration_s": 86_401},
            {"mode": "full", "duration_s": 0},
            {"mode": "full", "message": "x" * 501},
            {"mode": "full", "message": "\0"},
            {"mode": "full", "until": SOON.isoformat()},
        ):
            with self.subTest(body):
                self.assert_problem(self.post(**body), 422, "validation")
        self.assertEqual(self.window_count(), 0)

    def test_a_window_that_cannot_be_is_not_found(self) -> None:
        for path in (f"{WINDOWS}/0", f"{WINDOWS}/{10**30}"):
            self.assert_problem(self.client.delete(path), 404, "not-found")
            self.assert_problem(self.post(f"{path}/end"), 404, "not-found")

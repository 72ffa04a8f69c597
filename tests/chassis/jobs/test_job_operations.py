"""An owner reads and cancels a job; metrics count jobs; `manage.py jobs dead` works."""

import os
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock, Mock, patch
from uuid import UUID

from celery.apps import worker as program

from chassis.core.errors import UnavailableError
from chassis.core.identity import uuid7
from chassis.development.testing.bearer import bearer
from chassis.development.testing.http_cases import ApplicationTestCase
from chassis.jobs import broker, worker
from chassis.jobs.in_process import run_due_jobs
from support import jobs as _tasks  # noqa: F401  # The import registers the tasks.
from support.command_line import CommandLineTestCase


class JobOperationsTest(CommandLineTestCase, ApplicationTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.container = self.client.application.extensions["container"]  # type: ignore[attr-defined]
        self.mine = {"Authorization": bearer(self.client.application, subject="ann")}
        self.other = {"Authorization": bearer(self.client.application, subject="bob")}

    def enqueue(self, task: str = "tests.identify", **arguments: Any) -> str:
        """Enqueue a job; return its path."""
        with self.container.unit_of_work()() as work:
            values = arguments or {"one": uuid7()}
            job_id: UUID = work.jobs.enqueue(task, values, owner="ann").id
        return f"/jobs/{job_id}"

    def test_its_owner_sees_how_far_it_is(self) -> None:
        job = self.enqueue()
        queued = self.client.get(job, headers=self.mine)
        self.assertEqual((queued.status_code, queued.get_json()["state"]), (200, "queued"))
        self.assertEqual(queued.headers["Retry-After"], "1")
        run_due_jobs(self.container)
        done = self.client.get(job, headers=self.mine)
        self.assertEqual((done.get_json()["state"], "Retry-After" in done.headers), ("done", False))
        self.assertEqual(done.get_json()["result"]["kind"], "UUID")

    def test_what_has_not_changed_is_not_sent_again(self) -> None:
        job = self.enqueue()
        tag = self.client.get(job, headers=self.mine).headers["ETag"]
        again = self.client.get(job, headers={**self.mine, "If-None-Match": tag})
        self.assertEqual(again.status_code, 304)
        run_due_jobs(self.container)
        changed = self.client.get(job, headers={**self.mine, "If-None-Match": tag})
        self.assertEqual(changed.status_code, 200)

    def test_to_others_it_does_not_exist(self) -> None:
        job = self.enqueue()
        self.assert_problem(self.client.get(job, headers=self.other), 404, "not-found")
        cancelled = self.client.post(f"{job}/cancel", headers=self.other)
        self.assert_problem(cancelled, 404, "not-found")
        nobody = self.client.get(job, headers={"Authorization": ""})
        self.assert_problem(nobody, 401, "unauthorized")

    def test_a_queued_one_is_cancelled_once(self) -> None:
        job = self.enqueue()
        cancelled = self.client.post(f"{job}/cancel", headers=self.mine)
        self.assertEqual(cancelled.get_json()["state"], "cancelled")
        again = self.client.post(f"{job}/cancel", headers=self.mine)
        self.assert_problem(again, 409, "conflict")

    def test_a_version_that_is_not_the_present_one_is_not_cancelled(self) -> None:
        job = self.enqueue()
        cancelled = self.client.post(f"{job}/cancel", headers={**self.mine, "If-Match": '"9"'})
        self.assert_problem(cancelled, 412, "precondition-failed")

    def test_figures_are_among_the_metrics(self) -> None:
        self.enqueue()
        text = self.client.get("/metrics").text
        self.assertIn("jobs_waiting 1.0", text)
        self.assertIn("jobs_dead 0.0", text)

    def test_operators_are_told_and_decide(self) -> None:
        self.enqueue("tests.write", text="x")
        with self.container.engines().write.begin() as connection:
            connection.exec_driver_sql(
                "UPDATE ops.job SET state = 'failed', finished_at = now(), error = 'Broken.'"
            )
        url = {"DATABASE_URL": self.database_url}
        listed = self.manage("jobs", "dead", "list", **url)
        self.assertRegex(listed.output, r"tests.write .* Broken.\n1 jobs failed for good.")
        self.assert_stops(self.manage("jobs", "dead", "drop", **url), 2, "Name the ids of jobs")
        requeued = self.manage("jobs", "dead", "requeue", "--task", "tests.write", **url)
        self.assertEqual(requeued.output, "1 jobs were requeued.\n")
        dropped = self.manage("jobs", "dead", "drop", "--task", "tests.write", **url)
        self.assertEqual(dropped.output, "0 jobs were dropped.\n")

    def test_an_operator_who_cannot_be_understood_is_told(self) -> None:
        self.enqueue()
        with self.container.engines().write.begin() as connection:
            connection.exec_driver_sql(
                "UPDATE ops.job SET state = 'failed', task = 'tests.gone', finished_at = now()"
            )
        url = {"DATABASE_URL": self.database_url}
        for command in ("requeue", "drop"):
            with self.subTest(command):
                dead = ("jobs", "dead", command, "--task", "tests.wirte")
                said = "for --task: There is no task 'tests.wirte'; there are .*tests.write"
                self.assert_stops(self.manage(*dead, **url), 2, said)
                both = self.manage(*dead, str(uuid7()), **url)
                self.assert_stops(both, 2, "Name ids or --task, not both")
        # The code of these jobs is gone, and they are there.
        dropped = self.manage("jobs", "dead", "drop", "--task", "tests.gone", **url)
        self.assertEqual(dropped.output, "1 jobs were dropped.\n")

    def test_without_a_broker_its_commands_say_so(self) -> None:
        for command in ("worker", "relay"):
            with self.subTest(command):
                stopped = self.manage(command, DATABASE_URL=self.database_url)
                self.assert_stops(stopped, 78, "BROKER_URL: Not set")

    def test_a_broker_url_with_a_port_that_cannot_be_is_refused(self) -> None:
        for url in ("amqp://u:p@h:99999/", "amqp://u:p@h:port/", "amqp://h:5672;amqp://h:65536"):
            for command in ("worker", "relay"):
                with self.subTest(command, url=url):
                    stopped = self.manage(command, DATABASE_URL=self.database_url, BROKER_URL=url)
                    self.assert_stops(stopped, 78, "BROKER_URL: Must have the form")
        for url in ("amqps://u:p@h:65535/v", "amqp://h:5672 ", "amqp://[::1]:5672;amqp://h"):
            with self.subTest(url):
                shown = self.manage("config", DATABASE_URL=self.database_url, BROKER_URL=url)
                self.assertEqual(shown.exit_code, 0, shown.output)


class ProcessesTest(CommandLineTestCase):
    """Worker and relay log when they are ready, what they wait for, and their end."""

    def test_an_idle_worker_says_that_the_database_does_not_answer(self) -> None:
        nowhere = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/x"}
        with (
            patch("src.logging.configure_logging"),
            patch.object(worker, "run_worker", return_value=0),
            self.assertLogs("chassis.cli.jobs_commands", "WARNING") as said,
        ):
            self.manage("worker", **nowhere, BROKER_URL="amqp://nobody@127.0.0.1:1//")
        self.assertIn("The worker waits: The database does not answer.", said.output[0])

    def test_so_does_one_that_has_a_job(self) -> None:
        runner = Mock()
        runner.run.side_effect = [UnavailableError("The database does not answer."), None]
        with (
            patch.object(worker._Child, "runner", runner),
            self.assertLogs("chassis.jobs.worker", "WARNING") as said,
        ):
            worker._do(SimpleNamespace(request=SimpleNamespace(id=str(uuid7()))))
        self.assertIn("The worker waits: The database does not answer.", said.output[0])

    def test_a_relay_says_when_it_is_ready(self) -> None:
        config: Any = SimpleNamespace(name="tests", broker_url="amqp://nobody@127.0.0.1:1//")
        sink: Any = broker.BrokerSink(config)
        sink._app, sink._jobs, sink._dead = MagicMock(), MagicMock(), MagicMock()
        with self.assertLogs("chassis.jobs.broker", "INFO") as said:
            sink._open_channel()
            sink._open_channel()
        self.assertRegex(
            "".join(said.output), r"^\S+The relay is ready: the broker has the queue .+$"
        )

    def test_a_worker_that_ends_logs_it_and_writes_no_text_beside_the_log(self) -> None:
        config: Any = SimpleNamespace(name="tests", job_processes=1)
        with patch.object(worker, "celery_app") as made:
            made.return_value.Worker.return_value.exitcode = 0
            self.assertEqual(worker.run_worker(config, Mock(), Mock()), 0)
        reading, writing = os.pipe()
        with os.fdopen(reading, "rb") as reader:
            with os.fdopen(writing, "wb") as writer:
                program.safe_say("worker: Warm shutdown (MainProcess)", writer)
            self.assertEqual(reader.read(), b"")
        consumer = worker.PlainConsumer.__new__(worker.PlainConsumer)
        consumer.blueprint = Mock()
        with self.assertLogs("chassis.jobs.worker", "INFO") as said:
            consumer.stop()
        self.assertIn("The worker takes no more jobs", said.output[0])
        consumer.blueprint.stop.assert_called_once_with(consumer)

"""The relay's housekeeping, and the operators' commands for dead jobs."""

import re
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from uuid import UUID

from chassis.core.errors import MaintenanceError
from chassis.core.identity import uuid7
from chassis.core.maintenance import MaintenanceMode
from chassis.jobs import broker, housekeeping, tasks
from chassis.jobs.broker import BrokerSink
from chassis.jobs.dead_jobs import DeadJobs
from chassis.jobs.in_process import InProcessSink
from chassis.jobs.job_runner import JobRunner
from chassis.jobs.relay import Message, Relay, SinkError
from chassis.jobs.statistics import SqlJobStatistics
from chassis.jobs.tasks import Task
from chassis.project import current_project
from support.jobs import Behaviour, JobsTestCase


class Returning(InProcessSink):
    """A sink that dead-letters some messages, or accepts none."""

    given_back: tuple[UUID, ...] = ()
    takes = True

    def send(self, messages):  # type: ignore[no-untyped-def]
        if not self.takes:
            raise SinkError("the broker is away")
        yield from super().send(messages)

    def returned(self):  # type: ignore[no-untyped-def]
        yield from self.given_back


class RelayTestCase(JobsTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.sink = Returning(JobRunner(self.container))
        self.relay = Relay(self.container, self.sink)

    def housekeep(self) -> None:
        with self.unit_of_work() as work:
            housekeeping.housekeep(work.connection, self.sink.returned())

    def waiting(self) -> list[UUID]:
        return self.execute("SELECT job_id FROM ops.outbox WHERE not_before <= now()")


class RelayTest(RelayTestCase):
    def test_what_the_broker_does_not_take_stays(self) -> None:
        job_id = self.enqueue("one")
        self.sink.takes = False
        with self.assertRaises(SinkError):
            self.relay.pass_on()
        self.assertEqual(self.waiting(), [job_id])
        self.sink.takes = True
        self.assertEqual((self.relay.pass_on(), self.texts()), (1, ["one"]))

    def test_what_a_dead_relay_had_taken_is_another_ones_after_the_lease(self) -> None:
        self.enqueue("one")
        with patch.object(Returning, "lease", 0), patch.object(Relay, "_settle"):
            self.relay.pass_on()
        other = Relay(self.container, Returning(JobRunner(self.container)))
        self.assertEqual((other.pass_on(), self.texts()), (1, ["one"]))

    def test_nobody_takes_what_another_one_has(self) -> None:
        self.enqueue("one")

        def passes_on_too(text: str) -> None:
            self.assertEqual(Relay(self.container, self.sink).pass_on(), 0)
            self.write(text)

        Behaviour.does = passes_on_too
        self.assertEqual((self.relay.pass_on(), self.texts()), (1, ["one"]))

    def test_in_a_window_it_takes_nothing(self) -> None:
        job_id = self.enqueue("one")
        self.windows.start(MaintenanceMode.READ_ONLY, "", None, patience=timedelta(seconds=5))
        with self.assertRaises(MaintenanceError):
            self.relay.pass_on()
        self.windows.end()
        self.assertEqual((self.waiting(), self.texts()), ([job_id], []))


class HousekeepingTest(RelayTestCase):
    def test_a_job_that_everybody_lost_is_passed_on_again(self) -> None:
        job_id = self.enqueue("one")
        self.execute("DELETE FROM ops.outbox")
        self.housekeep()
        self.assertEqual(self.waiting(), [])
        long_ago = "now() - interval '61 minutes'"
        self.execute(f"UPDATE ops.job SET changed_at = {long_ago}, not_before = {long_ago}")
        self.housekeep()
        self.housekeep()
        self.assertEqual(self.waiting(), [job_id])

    def test_where_the_broker_confirms_nothing_its_alarms_are_named_first(self) -> None:
        config: Any = SimpleNamespace(name="tests", broker_url="amqp://nobody@127.0.0.1:1//")
        sink = BrokerSink(config)
        sink._last_tag = 0
        message = Message(1, uuid7(), "tests.write")
        with (
            patch.object(broker, "CONFIRM_SECONDS", 0),
            patch.object(sink, "_open_channel"),
            patch.object(sink, "_publish"),
            self.assertRaisesRegex(SinkError, "The broker confirms no jobs .*alarm.* no leader"),
        ):
            list(sink.send([message]))
        guide = (current_project().root / "docs/jobs.md").read_text("utf-8")
        [commands] = re.findall(r"^```sh broker\n(.*?)^```$", guide, re.M | re.S)
        self.assertTrue(commands.startswith("rabbitmq-diagnostics alarms\n"), commands)

    def test_what_the_broker_gave_up_goes_on_if_it_is_not_finished(self) -> None:
        done, lost = self.enqueue("one"), None
        self.run_due()
        lost = self.enqueue("two")
        self.execute("DELETE FROM ops.outbox")
        self.sink.given_back = (done, lost)
        self.housekeep()
        self.assertEqual(self.execute("SELECT job_id FROM ops.outbox"), [lost])

    def test_finished_jobs_are_swept_and_dead_ones_stay(self) -> None:
        for text in ("one", "two"):
            self.enqueue(text)
        self.run_due()
        self.execute("UPDATE ops.job SET finished_at = now() - interval '31 days'")
        self.execute("UPDATE ops.job SET state = 'failed' WHERE arguments ->> 'text' = 'two'")
        self.housekeep()
        self.assertEqual(self.execute("SELECT state FROM ops.job"), ["failed"])

    def test_a_periodic_task_is_enqueued_once_a_period(self) -> None:
        with self.periodic():
            self.housekeep()
            self.assertEqual(self.waiting(), [])
            self.pass_a_period()
            self.housekeep()
            self.housekeep()
            self.assertEqual((len(self.waiting()), self.run_due()), (1, 1))
            self.housekeep()
            self.assertEqual(self.waiting(), [])

    def test_while_one_is_not_finished_no_other_is_enqueued_and_missed_ones_are_one(self) -> None:
        with self.periodic():
            self.housekeep()
            for _ in range(3):
                self.pass_a_period()
                self.housekeep()
            self.assertEqual(len(self.waiting()), 1)
            self.run_due()
            self.housekeep()
            self.assertEqual(len(self.waiting()), 1)  # One job for all missed times.
            self.run_due()
            self.housekeep()
            self.assertEqual(self.waiting(), [])

    def test_its_moments_are_those_of_the_clock(self) -> None:
        with self.periodic():
            self.housekeep()
        [begins] = self.execute(
            "SELECT extract(epoch FROM next_at)::bigint % 86400 FROM ops.periodic_task"
        )
        self.assertEqual(begins, 3 * 3600)

    def periodic(self):  # type: ignore[no-untyped-def]
        day, three = timedelta(days=1), timedelta(hours=3)
        made = Task("tests.sweep", lambda: None, 10, 300, day, three)
        return patch.dict(tasks._tasks, {"tests.sweep": made})

    def pass_a_period(self) -> None:
        self.execute("UPDATE ops.periodic_task SET next_at = now() - interval '1 second'")


class DeadJobsTest(JobsTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.dead = DeadJobs(self.unit_of_work)
        self.alive = self.enqueue("alive")
        self.run_due()
        self.failed = self.enqueue("one")
        Behaviour.does = lambda _text: 1 / 0
        for _ in range(3):
            self.run_due()
            self.execute("UPDATE ops.outbox SET not_before = now()")

    def test_they_are_listed_with_their_errors(self) -> None:
        [found] = self.dead.all()
        self.assertEqual((found.id, found.attempts), (self.failed, 3))
        self.assertEqual(found.error, "ZeroDivisionError")
        self.assertEqual(self.dead.all("tests.other"), [])

    def test_one_that_is_requeued_is_done_after_all(self) -> None:
        Behaviour.does = self.write
        self.assertEqual(self.dead.requeue([self.failed, self.alive]), 1)
        self.assertEqual((self.run_due(), self.texts()), (1, ["alive", "one"]))
        self.assertEqual(self.state(self.failed), ("done", 1))

    def test_one_that_is_dropped_is_gone(self) -> None:
        self.assertEqual(self.dead.drop([], "tests.write"), 1)
        self.assertEqual(self.execute("SELECT id FROM ops.job"), [self.alive])

    def test_they_are_counted(self) -> None:
        self.enqueue("waits")
        found = SqlJobStatistics(self.engines.watch).figures()
        self.assertEqual((found.waiting, found.running, found.dead), (1, 0, 1))
        self.assertEqual(found.finished, {"done": 1, "failed": 1})
        self.assertGreater(found.latencies["0.99"], 0)
        self.assertGreater(found.oldest_seconds, 0)

"""A job has its effect once, if and only if the enqueuing transaction was committed."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from chassis.core.errors import CodeError, ConflictError, MaintenanceError, NotFoundError
from chassis.core.identity import uuid7
from chassis.core.jobs import JobService, JobState
from chassis.core.maintenance import MaintenanceMode
from chassis.jobs.job_runner import JobRunner
from support.jobs import Behaviour, JobsTestCase
from support.specimens import Specimen


class EnqueueTest(JobsTestCase):
    def test_a_committed_job_is_done_once(self) -> None:
        job_id = self.enqueue("one")
        self.assertEqual(self.texts(), [])
        self.assertEqual(self.run_due(), 1)
        self.assertEqual((self.texts(), self.state(job_id)), (["one"], ("done", 1)))
        self.assertEqual((self.run_due(), self.texts()), (0, ["one"]))

    def test_without_a_commit_there_is_none(self) -> None:
        with suppress(ZeroDivisionError), self.unit_of_work() as work:
            work.jobs.enqueue("tests.write", {"text": "one"})
            _ = 1 / 0
        self.assertEqual((self.run_due(), self.texts()), (0, []))
        self.assertEqual(self.execute("SELECT id FROM ops.job"), [])

    def test_an_argument_arrives_as_what_it_was(self) -> None:
        one = uuid7()
        with self.unit_of_work() as work:
            job = work.jobs.enqueue("tests.identify", {"one": one}, owner="ann")
        self.run_due()
        done = JobService(self.unit_of_work).read(job.id, owner="ann")
        self.assertEqual(done.result, {"kind": "UUID", "one": str(one)})

    def test_an_unknown_task_and_wrong_arguments_are_the_programs_mistake(self) -> None:
        for task, arguments in (
            ("tests.other", {}),
            ("tests.write", {}),
            ("tests.write", {"a": 1}),
        ):
            with self.subTest(task), self.assertRaises(CodeError), self.unit_of_work() as work:
                work.jobs.enqueue(task, arguments)

    def test_what_json_has_not_is_refused(self) -> None:
        with self.assertRaises(TypeError), self.unit_of_work() as work:
            work.jobs.enqueue("tests.write", {"text": Specimen(text="x")})

    def test_it_waits_for_its_time(self) -> None:
        job_id = self.enqueue(not_before=datetime.now(UTC) + timedelta(hours=1))
        self.assertEqual(self.run_due(), 0)
        self.execute("UPDATE ops.outbox SET not_before = now()")
        self.assertEqual((self.run_due(), self.state(job_id)), (1, ("done", 1)))


class AttemptTest(JobsTestCase):
    def test_a_message_that_comes_twice_has_one_effect(self) -> None:
        job_id = self.enqueue("one")
        self.execute("INSERT INTO ops.outbox (job_id) SELECT job_id FROM ops.outbox")
        self.assertEqual(self.run_due(), 2)
        self.assertEqual((self.texts(), self.state(job_id)), (["one"], ("done", 1)))

    def test_of_two_attempts_at_a_time_the_later_one_counts(self) -> None:
        job_id = self.enqueue("one")

        def overtaken(_text: str) -> None:
            Behaviour.does = self.write
            with ThreadPoolExecutor(1) as threads:  # Another worker got the same message.
                threads.submit(JobRunner(self.container).run, job_id).result()
            self.write("two")

        Behaviour.does = overtaken
        self.run_due()
        self.assertEqual((self.texts(), self.state(job_id)), (["one"], ("done", 2)))

    def test_an_attempt_that_fails_leaves_nothing_and_is_made_again(self) -> None:
        job_id = self.enqueue("one")

        def fail(text: str) -> None:
            self.write(text)
            raise ConflictError("Not yet.")

        Behaviour.does = fail
        self.assertEqual(self.run_due(), 1)
        self.assertEqual((self.texts(), self.state(job_id)), ([], ("queued", 1)))
        self.assertEqual(self.execute("SELECT error FROM ops.job"), ["Not yet."])
        Behaviour.does = self.write
        self.assertEqual(self.run_due(), 0)
        self.make_due()
        self.assertEqual((self.run_due(), self.texts()), (1, ["one"]))
        self.assertEqual(self.state(job_id), ("done", 2))

    def test_the_last_attempt_makes_it_dead(self) -> None:
        job_id = self.enqueue()
        Behaviour.does = lambda _text: 1 / 0
        for _ in range(3):
            self.assertEqual(self.run_due(), 1)
            self.make_due()
        self.assertEqual((self.run_due(), self.state(job_id)), (0, ("failed", 3)))
        self.assertEqual(self.execute("SELECT error FROM ops.job"), ["ZeroDivisionError"])

    def test_where_the_process_of_the_last_attempt_was_killed_it_is_dead_and_says_so(self) -> None:
        job_id = self.enqueue("one")
        self.execute("UPDATE ops.job SET state = 'running', attempts = 3")
        with self.assertLogs("chassis.jobs.job_runner", "ERROR") as logged:
            self.assertEqual(self.run_due(), 1)
        self.assertEqual((self.texts(), self.state(job_id)), ([], ("failed", 3)))
        [error] = self.execute("SELECT error FROM ops.job")
        self.assertRegex(str(error), "was killed")
        self.assertIn(str(error), logged.output[0])

    def test_a_window_puts_it_off_uncounted(self) -> None:
        job_id = self.enqueue("one")

        def interrupted(text: str) -> None:
            self.open_window()
            self.write(text)

        Behaviour.does = interrupted
        self.assertEqual(self.run_due_in_window(), 1)
        self.assertEqual((self.texts(), self.state(job_id)), ([], ("queued", 0)))
        self.windows.end(accept_schema=None)
        Behaviour.does = self.write
        self.make_due()
        # During the window, the relay could not delete the message.
        self.assertEqual(self.run_due(), 2)
        self.assertEqual((self.texts(), self.state(job_id)), (["one"], ("done", 1)))

    def open_window(self) -> None:
        self.windows.start(MaintenanceMode.READ_ONLY, "", None, patience=timedelta(seconds=5))

    def make_due(self) -> None:
        self.execute("UPDATE ops.outbox SET not_before = now()")

    def run_due_in_window(self) -> int:
        with suppress(MaintenanceError):
            return self.run_due()
        return 1


class OwnerTest(JobsTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.jobs = JobService(self.unit_of_work)

    def test_only_its_owner_sees_it(self) -> None:
        mine, nobodys = self.enqueue(owner="ann"), self.enqueue()
        self.assertEqual(self.jobs.read(mine, owner="ann").state, JobState.QUEUED)
        for job_id, owner in ((mine, "bob"), (nobodys, "ann"), (uuid7(), "ann")):
            with self.subTest(owner), self.assertRaises(NotFoundError):
                self.jobs.read(job_id, owner=owner)

    def test_what_is_cancelled_is_not_done(self) -> None:
        job_id = self.enqueue(owner="ann")
        self.assertEqual(self.jobs.cancel(job_id, owner="ann").state, JobState.CANCELLED)
        self.assertEqual((self.run_due(), self.texts()), (1, []))

    def test_what_is_done_is_not_cancelled(self) -> None:
        job_id = self.enqueue(owner="ann")
        self.run_due()
        with self.assertRaises(ConflictError):
            self.jobs.cancel(job_id, owner="ann")

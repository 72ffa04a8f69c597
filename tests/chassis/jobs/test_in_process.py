"""Jobs in the server's own process: what happens to one that runs when the process ends."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from unittest.mock import patch

from chassis.jobs import in_process
from chassis.jobs.in_process import JobsHere
from support.jobs import Behaviour, JobsTestCase
from support.windows import HANGS_SECONDS, wait_until


class EndTest(JobsTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.begun, self.released = Event(), Event()
        Behaviour.does = self.wait_and_write
        self.job_id = self.enqueue("one")
        self.jobs = self.started()

    def wait_and_write(self, text: str) -> None:
        released = self.released
        self.begun.set()
        released.wait(HANGS_SECONDS)
        if released is self.released:
            self.write(text)

    def started(self) -> JobsHere:
        jobs = JobsHere(self.container)
        self.addCleanup(jobs.end)
        self.addCleanup(self.released.set)
        jobs.start()
        self.assertTrue(self.begun.wait(HANGS_SECONDS))
        return jobs

    def wait_for_the_idle_thread(self) -> None:
        """Wait until only the thread with the job is left: the other one may look for one yet."""
        wait_until(lambda: sum(thread.is_alive() for thread in self.jobs._threads) == 1)

    def test_a_job_that_runs_is_finished_and_no_other_is_begun(self) -> None:
        with ThreadPoolExecutor() as threads:
            ending = threads.submit(self.jobs.end)
            self.wait_for_the_idle_thread()
            later = self.enqueue("two")
            self.released.set()
            ending.result(HANGS_SECONDS)
        self.assertEqual(self.texts(), ["one"])
        self.assertEqual(self.state(self.job_id), ("done", 1))
        self.assertEqual(self.state(later), ("queued", 0))

    def test_one_that_takes_longer_is_done_once_by_the_next_process(self) -> None:
        with patch.object(in_process, "END_SECONDS", 0.1):
            self.jobs.end()
        self.wait_for_the_idle_thread()
        self.assertEqual((self.texts(), self.state(self.job_id)), ([], ("running", 1)))
        # The first attempt goes on waiting: here no process ends.
        self.begun, self.released = Event(), Event()
        following = self.started()
        self.released.set()
        following.end()
        self.assertEqual((self.texts(), self.state(self.job_id)), (["one"], ("done", 2)))

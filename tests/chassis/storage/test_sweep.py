"""The sweep removes abandoned uploads and nothing else, on S3 and on a disk."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from chassis.core.persistence import Clock
from chassis.core.storage.file_sweep import GRACE, FileSweep, Swept
from support.contents import OnDisk, OnS3
from support.files import FilesTestCase


class LaterClock(Clock):
    """A clock that is ahead by so much, so that everything looks older."""

    def __init__(self, later: timedelta) -> None:
        self._later = later

    def now(self) -> datetime:
        return datetime.now(UTC) + self._later


LATER = LaterClock(GRACE + timedelta(minutes=1))


class SweepContract(FilesTestCase):
    def sweep(self, clock: Clock = LATER, **options: Any) -> Swept:
        unit_of_work = self.container.unit_of_work()
        return FileSweep(unit_of_work, self.store, clock).run(**options)

    def left_behind(self) -> str:
        """Leave a file with an unchecked upload, and a content that belongs to no file."""
        address = self.announce()
        self.put(f"incoming/{address.rpartition('/')[2]}")
        self.put("files/none/0")
        self.put("incoming/none")
        return address

    def counts(self, swept: Swept) -> tuple[int, int, int]:
        return swept.abandoned, swept.orphans, len(swept.missing)

    def test_what_was_left_behind_goes_and_files_stay(self) -> None:
        kept, abandoned = self.stored(), self.left_behind()
        [key] = [key for key in self.keys("files/") if "none" not in key]
        self.assertEqual(self.counts(self.sweep()), (1, 2, 0))
        self.assertEqual(self.keys(), [key])
        self.assertEqual(self.state(kept), "ready")
        self.assert_problem(self.client.get(abandoned), 404, "not-found")
        self.assertEqual(self.counts(self.sweep()), (0, 0, 0))

    def test_what_is_young_may_still_become_a_file(self) -> None:
        address = self.left_behind()
        before = self.keys()
        young = LaterClock(GRACE - timedelta(minutes=1))
        self.assertEqual(self.counts(self.sweep(young)), (0, 0, 0))
        self.assertEqual((self.keys(), self.state(address)), (before, "pending"))

    def test_a_dry_run_removes_nothing(self) -> None:
        address = self.left_behind()
        before = self.keys()
        found = self.counts(self.sweep(dry_run=True))
        self.assertEqual((found[0], found[1], self.keys()), (1, 2, before))
        self.assertEqual(self.state(address), "pending")

    def test_a_lost_content_is_named_and_its_file_stays(self) -> None:
        addresses = [self.stored() for _ in range(3)]
        self.put("files/00000000/0")
        lost = [key for key in self.keys("files/") if key.split("/")[1] in addresses[1]]
        self.store.delete(lost[0])
        swept = self.sweep()
        self.assertEqual(self.counts(swept), (0, 1, 1))
        self.assertIn(str(swept.missing[0].id), addresses[1])
        self.assertEqual([self.state(address) for address in addresses], ["ready"] * 3)

    def test_a_whole_bucket_may_be_lost(self) -> None:
        for _ in range(3):
            self.stored()
        for key in self.keys():
            self.store.delete(key)
        self.assertEqual(self.counts(self.sweep()), (0, 0, 3))


class DiskSweepTest(OnDisk, SweepContract):
    def test_more_rows_than_are_read_at_a_time(self) -> None:
        row = (
            "INSERT INTO stored_file SELECT gen_random_uuid(), 'tests', 'a', 'text/csv', 1,"
            " repeat('0', 64), state, state || n, now(), 1"
            " FROM generate_series(1, 501) AS n, unnest(ARRAY['pending', 'ready']) AS state"
        )
        with self._cleaner.begin() as connection:
            connection.execute(text(row))
        self.assertEqual(self.counts(self.sweep()), (501, 0, 501))


class S3SweepTest(OnS3, SweepContract):
    pass


del SweepContract  # Only the subclasses are run.

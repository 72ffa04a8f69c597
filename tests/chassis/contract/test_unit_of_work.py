"""The contract of units of work: the same tests for the real one and for the fake."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from chassis.core.errors import CollisionError, ConflictError, DuplicateError, NotFoundError
from chassis.core.identity import uuid7
from chassis.core.paging import PageQuery
from chassis.development.testing.security_table import shows
from support.specimens import Specimen
from support.units import MemoryUnits, SqlUnits, UnitsTestCase


class UnitOfWorkContract(UnitsTestCase):
    def test_what_is_added_is_read_back(self) -> None:
        specimen = self.stored()
        with self.unit_of_work(read_only=True) as work:
            found = self.specimens(work).get(specimen.id)
        self.assertEqual((found.id, found.text, found.version), (specimen.id, "first", 1))

    def test_an_unknown_id_is_not_found(self) -> None:
        with self.unit_of_work(read_only=True) as work, self.assertRaises(NotFoundError):
            self.specimens(work).get(uuid7())

    def test_an_error_takes_everything_back(self) -> None:
        with suppress(ZeroDivisionError), self.unit_of_work() as work:
            self.specimens(work).add(Specimen(text="lost"))
            _ = 1 / 0
        self.assertEqual(self.texts(), [])

    def test_another_thread_has_its_own(self) -> None:
        with ThreadPoolExecutor(1) as threads:
            with self.unit_of_work() as work:
                other = threads.submit(self.stored, "second")
                with suppress(TimeoutError):  # The fake lets the other thread wait for this block.
                    other.result(timeout=0.2)
                self.specimens(work).add(Specimen(text="first"))
            other.result()
        self.assertEqual(sorted(self.texts()), ["first", "second"])

    def test_a_change_that_is_not_saved_is_not_stored(self) -> None:
        specimen = self.stored()
        with self.unit_of_work() as work:
            self.specimens(work).get(specimen.id).text = "forgotten"
        self.assertEqual(self.texts(), ["first"])

    def test_saving_counts_the_version_up(self) -> None:
        specimen = self.stored()
        with self.unit_of_work() as work:
            specimen.text = "second"
            self.specimens(work).save(specimen)
        with self.unit_of_work(read_only=True) as work:
            found = self.specimens(work).get(specimen.id)
        self.assertEqual((specimen.version, found.version, found.text), (2, 2, "second"))

    def test_the_second_of_two_writers_is_told(self) -> None:
        specimen = self.stored()
        with self.unit_of_work(read_only=True) as work:
            stale = self.specimens(work).get(specimen.id)
        with self.unit_of_work() as work:
            self.specimens(work).save(specimen)
        for change in ("save", "remove"):
            with (
                self.subTest(change),
                self.assertRaises(ConflictError),
                self.unit_of_work() as work,
            ):
                getattr(self.specimens(work), change)(stale)

    def test_what_is_removed_is_gone(self) -> None:
        specimen = self.stored()
        with self.unit_of_work() as work:
            self.specimens(work).remove(specimen)
        self.assertEqual(self.texts(), [])

    def test_an_id_is_taken_once(self) -> None:
        specimen = self.stored()
        with self.assertRaises(DuplicateError), self.unit_of_work() as work:
            self.specimens(work).add(Specimen(id=specimen.id, text="other"))

    def test_pages_follow_one_another(self) -> None:
        stored = sorted((self.stored(text) for text in "abc"), key=lambda specimen: specimen.id)
        with self.unit_of_work(read_only=True) as work:
            first = self.specimens(work).page(PageQuery(limit=2))
            second = self.specimens(work).page(PageQuery(limit=2, after=(first[-1].id,)))
        self.assertEqual(
            [specimen.id for specimen in first + second], [specimen.id for specimen in stored]
        )

    def test_a_read_only_one_cannot_write(self) -> None:
        with self.assertRaises(Exception), self.unit_of_work(read_only=True) as work:  # noqa: B017
            self.specimens(work).add(Specimen(text="never"))
        self.assertEqual(self.texts(), [])

    def test_one_inside_another_is_refused(self) -> None:
        with self.unit_of_work(), self.assertRaises(RuntimeError), self.unit_of_work():
            pass


class MemoryUnitOfWorkTest(MemoryUnits, UnitOfWorkContract):
    pass


class SqlUnitOfWorkTest(SqlUnits, UnitOfWorkContract):
    @shows("V2.3.4")
    def test_a_unique_value_is_taken_once(self) -> None:
        self.stored("same")
        with self.assertRaises(DuplicateError), self.unit_of_work() as work:
            self.specimens(work).add(Specimen(text="same"))

    def test_what_an_exclusion_constraint_refuses_is_a_conflict(self) -> None:
        with self.assertRaisesRegex(ConflictError, "overlaps"):
            self.execute("""
                DO $$ BEGIN
                    CREATE TEMP TABLE stays (nights int4range, EXCLUDE USING gist (nights WITH &&))
                        ON COMMIT DROP;
                    INSERT INTO stays VALUES ('[1,4)'), ('[3,5)');
                END $$
            """)

    def test_a_collision_is_told_apart(self) -> None:
        for state in ("40001", "40P01"):
            with self.subTest(state), self.assertRaises(CollisionError):
                self.execute(f"DO $$ BEGIN RAISE '' USING ERRCODE = '{state}'; END $$")


del UnitOfWorkContract  # Only the two subclasses are run.

"""Effects after a commit: the same tests for the real unit of work and for the fake."""

from contextlib import suppress
from threading import get_ident
from typing import Any

from chassis.core.errors import DuplicateError
from chassis.core.persistence import StoredResponse
from support.specimens import Specimen
from support.units import MemoryUnits, SqlUnits, UnitsTestCase

ANSWER = StoredResponse("fingerprint", 201, {}, b"")


class AfterCommitContract(UnitsTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.effects: list[Any] = []

    def place(self, text: str) -> None:
        """Add a row and an effect that reports the row, as a service does."""
        with self.unit_of_work() as work:
            self.specimens(work).add(Specimen(text=text))
            work.after_commit(lambda: self.effects.append(text))

    def test_an_effect_follows_the_commit_in_its_thread(self) -> None:
        with self.unit_of_work() as work:
            self.specimens(work).add(Specimen(text="x"))
            work.after_commit(lambda: self.effects.append((get_ident(), self.texts())))
            work.after_commit(lambda: self.effects.append("second"))
            self.assertEqual(self.effects, [])
        self.assertEqual(self.effects, [(get_ident(), ["x"]), "second"])

    def test_what_is_rolled_back_has_none(self) -> None:
        for error in (ZeroDivisionError, KeyboardInterrupt):
            with suppress(error), self.unit_of_work() as work:
                work.after_commit(lambda: self.effects.append("never"))
                raise error
        self.place("next")
        self.assertEqual(self.effects, ["next"])

    def test_it_waits_for_the_outermost_commit(self) -> None:
        with self.unit_of_work.once("key") as once:
            self.place("first")
            self.place("second")
            once.store(ANSWER)
            self.assertEqual(self.effects, [])
        self.assertEqual(self.effects, ["first", "second"])

    def test_and_goes_with_it(self) -> None:
        with suppress(ZeroDivisionError), self.unit_of_work.once("failed"):
            self.place("first")
            _ = 1 / 0
        self.assertEqual(self.effects, [])

    def test_a_part_that_fails_takes_back_its_own(self) -> None:
        with self.unit_of_work.once("parts") as once:
            self.place("kept")
            with suppress(DuplicateError), self.unit_of_work() as work:
                specimen = Specimen(text="lost")
                work.after_commit(lambda: self.effects.append("never"))
                self.specimens(work).add(specimen)
                self.specimens(work).add(Specimen(text="other", id=specimen.id))
            self.place("after")
            once.store(ANSWER)
        self.assertEqual(self.effects, ["kept", "after"])

    def test_one_that_fails_is_logged_and_changes_nothing(self) -> None:
        logs = self.enterContext(self.assertLogs("chassis.core.commit_hooks", "ERROR"))
        with self.unit_of_work() as work:
            self.specimens(work).add(Specimen(text="x"))
            work.after_commit(lambda: 1 / 0)
            work.after_commit(lambda: self.effects.append("second"))
        self.assertIn("ZeroDivisionError", logs.output[0])
        self.assertEqual((self.texts(), self.effects), (["x"], ["second"]))

    def test_one_may_have_a_transaction_of_its_own(self) -> None:
        with self.unit_of_work.once("outer") as once, self.unit_of_work() as work:
            work.after_commit(lambda: self.place("by an effect"))
            once.store(ANSWER)
        self.assertEqual(self.texts(), ["by an effect"])
        self.assertEqual(self.effects, ["by an effect"])

    def test_a_read_only_one_commits_nothing(self) -> None:
        with self.unit_of_work(read_only=True) as work, self.assertRaises(RuntimeError):
            work.after_commit(self.effects.clear)


class MemoryAfterCommitTest(MemoryUnits, AfterCommitContract):
    pass


class SqlAfterCommitTest(SqlUnits, AfterCommitContract):
    def test_a_commit_that_fails_has_none(self) -> None:
        self.execute("ALTER TABLE specimens ADD UNIQUE (version) DEFERRABLE INITIALLY DEFERRED")
        self.addCleanup(self.execute, "ALTER TABLE specimens DROP CONSTRAINT specimens_version_key")
        self.place("first")
        with self.assertRaises(DuplicateError):
            self.place("second")
        self.assertEqual((self.texts(), self.effects), (["first"], ["first"]))


del AfterCommitContract  # Only the two subclasses are run.

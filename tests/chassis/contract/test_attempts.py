"""If-Match and Idempotency-Key in units of work, real and fake."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from copy import copy

from sqlalchemy.exc import IntegrityError

from chassis.core.errors import BusyError, DuplicateError, PreconditionFailedError
from chassis.core.paging import PageQuery
from chassis.core.persistence import StoredResponse
from chassis.core.request_scope import Attempt
from chassis.postgres.unit_of_work_factory import SqlUnitOfWorkFactory, SqlWork
from support.specimens import Specimen
from support.units import MemoryUnits, SqlUnits, UnitsTestCase, attempting
from support.windows import wait_until

ANSWER = StoredResponse("fingerprint", 201, {"Location": "/x"}, b"{\x00\xff}")

FORGED: list[tuple[int, object]] = [
    *((status, {}) for status in (-1, 0, 99, 100, 199, 600, 1000, 2**31 - 1)),
    (200, []),
    (200, "Location: /x"),
    (200, {"Location": 1}),
    (200, {"Location": None}),
    (200, {"Set-Cookie": ["a=b"]}),
    (200, {"Location": "/x\r\nSet-Cookie: a=b"}),
    (200, {"Location": "/\x1b"}),
    (200, {"Location": "/\x7f"}),
    (200, {"Loca tion": "/x"}),
    (200, {"Location:": "/x"}),
    (200, {"": "/x"}),
    (200, {"X\r\nY": "/x"}),
]
MISFRAMED: list[tuple[int, object]] = [
    (200, {"Content-Length": "4"}),
    (200, {"Transfer-Encoding": "chunked"}),
    (200, {"connection": "close"}),
    (200, {"Location": "/\u20ac"}),
]


def expecting(version: int) -> Callable[[int, object], bool]:
    return lambda found, _entity: found == version


class AttemptsContract(UnitsTestCase):
    def test_an_entity_has_the_version_that_the_request_expects(self) -> None:
        specimen, other = self.stored("first"), self.stored("other")
        for version, entity_id, outcome in (
            (1, specimen.id, nullcontext()),
            (2, specimen.id, self.assertRaises(PreconditionFailedError)),
            (2, other.id, nullcontext()),
        ):
            attempt = Attempt(entity_id, expecting(version))
            with outcome, attempting(attempt), self.unit_of_work(read_only=True) as work:
                self.specimens(work).get(specimen.id)

    def test_and_keeps_it_until_it_is_changed(self) -> None:
        for change in ("save", "remove"):
            specimen = self.stored(change)
            stale = copy(specimen)
            with self.unit_of_work() as work:
                self.specimens(work).save(specimen)
            for expected in (1, 2):
                with (
                    self.subTest(change, expected=expected),
                    attempting(Attempt(specimen.id, expecting(expected))),
                    self.assertRaises(PreconditionFailedError),
                    self.unit_of_work() as work,
                ):
                    getattr(self.specimens(work), change)(stale)

    def test_the_request_itself_may_change_it_again(self) -> None:
        specimen = self.stored()
        with attempting(Attempt(specimen.id, expecting(1))):
            for _ in range(2):
                with self.unit_of_work() as work:
                    self.specimens(work).save(self.specimens(work).get(specimen.id))

    def test_a_request_is_told_that_it_committed(self) -> None:
        attempt = Attempt(None, None)
        with attempting(attempt), self.unit_of_work() as work:
            self.specimens(work).add(Specimen(text="x"))
            self.assertFalse(attempt.committed)
        self.assertTrue(attempt.committed)

    def test_what_is_done_once_is_committed_with_its_answer(self) -> None:
        with self.unit_of_work.once("key") as once:
            self.assertIsNone(once.response)
            specimen = self.stored()
            with self.unit_of_work(read_only=True) as work:
                self.assertEqual(self.specimens(work).get(specimen.id).text, "first")
            once.store(ANSWER)
        with self.unit_of_work.once("key") as once:
            self.assertEqual(once.response, ANSWER)
        with self.unit_of_work.once("other") as once:
            self.assertIsNone(once.response)
        self.assertEqual(self.texts(), ["first"])

    def test_and_is_taken_back_with_it(self) -> None:
        with suppress(ZeroDivisionError), self.unit_of_work.once("failed") as once:
            self.stored()
            once.store(ANSWER)
            _ = 1 / 0
        self.assertEqual(self.texts(), [])
        with self.unit_of_work.once("failed") as once:
            self.assertIsNone(once.response)

    def test_a_part_that_fails_is_taken_back_alone(self) -> None:
        with self.unit_of_work.once("parts") as once:
            kept = self.stored("kept")
            with suppress(DuplicateError), self.unit_of_work() as work:
                self.specimens(work).add(Specimen(text="lost"))
                self.specimens(work).add(Specimen(id=kept.id, text="twice"))
            self.stored("after")
            once.store(ANSWER)
        self.assertCountEqual(self.texts(), ["kept", "after"])

    def test_a_read_only_part_cannot_write(self) -> None:
        with (
            self.assertRaises(Exception),  # noqa: B017
            self.unit_of_work.once("part"),
            self.unit_of_work(read_only=True) as work,
        ):
            self.specimens(work).add(Specimen(text="never"))
        with self.unit_of_work.once("part"):
            with self.unit_of_work(read_only=True) as work:
                self.specimens(work).page(PageQuery(limit=1))
            self.stored("after reading")
        self.assertEqual(self.texts(), ["after reading"])

    def test_one_inside_another_is_refused(self) -> None:
        with self.unit_of_work(), self.assertRaises(RuntimeError), self.unit_of_work.once("k"):
            pass
        with (
            self.unit_of_work.once("k"),
            self.assertRaises(RuntimeError),
            self.unit_of_work.once("other"),
        ):
            pass


class MemoryAttemptsTest(MemoryUnits, AttemptsContract):
    pass


class SqlAttemptsTest(SqlUnits, AttemptsContract):
    def test_two_transactions_do_not_have_the_same_key(self) -> None:
        other = SqlUnitOfWorkFactory(self.engines, SqlWork)
        with self.unit_of_work.once("held"):
            with self.assertRaises(BusyError), other.once("held"):
                pass
            with other.once("free"):
                pass
        with other.once("held"):
            pass

    def test_the_second_one_waits_and_gets_the_answer_of_the_first(self) -> None:
        """A proxy repeats a request to another replica while the first one still serves it."""
        other = SqlUnitOfWorkFactory(self.engines, SqlWork)

        def repeated() -> StoredResponse | None:
            with other.once("repeated") as once:
                return once.response

        with ThreadPoolExecutor(1) as threads:
            with self.unit_of_work.once("repeated") as once:
                second = threads.submit(repeated)
                wait_until(lambda: self.execute("SELECT count(*) FROM pg_locks WHERE NOT granted"))
                once.store(ANSWER)
            self.assertEqual(second.result(), ANSWER)

    def keep(self, key: str) -> StoredResponse | None:
        """Store a response; return the one that was stored before."""
        with self.unit_of_work.once(key) as once:
            before = once.response
            once.store(ANSWER)
        return before

    def test_answers_are_forgotten_after_a_day_a_few_at_a_time(self) -> None:
        self.keep("young")
        self.execute("""
            INSERT INTO ops.idempotency_key
            SELECT 'old ' || n, '', 200, '{}', '', now() - interval '24 hours' - n * interval '1 s'
            FROM generate_series(0, 21) n""")
        count = "SELECT count(*) FROM ops.idempotency_key WHERE key LIKE 'old %'"
        for key, left in (("old 0", 2), ("new", 1)):
            self.assertIsNone(self.keep(key))
            self.assertEqual(self.execute(count), left)
        with self.assertRaises(DuplicateError):
            self.keep("young")

    def insert(self, status: int, headers: object) -> None:
        self.execute(
            "INSERT INTO ops.idempotency_key VALUES ('forged', 'fingerprint', "
            f"{status}, '{json.dumps(headers)}', '12345')"
        )

    def test_the_database_refuses_a_row_that_is_no_response(self) -> None:
        for status, headers in FORGED:
            with self.subTest(status, headers=headers), self.assertRaises(IntegrityError):
                self.insert(status, headers)

    def test_what_lies_in_the_table_and_is_no_response_is_no_answer(self) -> None:
        self.execute("ALTER TABLE ops.idempotency_key DROP CONSTRAINT a_response")
        self.addCleanup(
            self.execute,
            "ALTER TABLE ops.idempotency_key ADD CONSTRAINT a_response "
            "CHECK (ops.is_response(status, headers))",
        )
        for status, headers in [*FORGED, *MISFRAMED]:
            with self.subTest(status, headers=headers):
                self.insert(status, headers)
                self.assertIsNone(self.keep("forged"))
                self.assertEqual(self.keep_again("forged"), ANSWER)
                self.execute("TRUNCATE ops.idempotency_key")

    def keep_again(self, key: str) -> StoredResponse | None:
        with self.unit_of_work.once(key) as once:
            return once.response


del AttemptsContract  # Only the two subclasses are run.

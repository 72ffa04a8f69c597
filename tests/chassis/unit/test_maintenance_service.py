from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread
from types import SimpleNamespace
from typing import Any
from unittest import TestCase
from unittest.mock import patch

from sqlalchemy.exc import ProgrammingError

from chassis.core import maintenance_service as module
from chassis.core.errors import MaintenanceError, UnavailableError, ValidationError
from chassis.core.maintenance import MaintenanceMode, Window, WindowPhase
from chassis.core.maintenance_service import (
    CACHE_SECONDS,
    CACHE_SECONDS_IN_A_WINDOW,
    LONGEST_BYPASS_SECONDS,
    QUIET_SECONDS,
    READ_PATIENCE_SECONDS,
    MaintenanceService,
    retry_after,
)
from chassis.core.request_scope import current_scope
from chassis.development.testing.security_table import shows
from chassis.maintenance.drain import SEEN_BY_ALL_SECONDS
from support.maintenance import fixed_windows, window

FULL = window(mode=MaintenanceMode.FULL)
READ_ONLY = window()
LEAST, MOST = 0.9, 1.1  # By how much the lifetime of a cached window varies.


class MaintenanceTestCase(TestCase):
    """Tests on a clock that only a test moves."""

    def setUp(self) -> None:
        self.seconds = 1_000.0
        self.enterContext(
            patch.object(
                module,
                "time",
                SimpleNamespace(monotonic=lambda: self.seconds, time=lambda: self.seconds),
            )
        )
        self.addCleanup(setattr, current_scope(), "admitted_window", None)

    def service(self, opened: Window | None, key: str = "a key") -> MaintenanceService:
        self.windows = fixed_windows(opened)
        return MaintenanceService(self.windows, key)

    def reads(self) -> int:
        return int(self.windows.current.call_count)


class BeliefTest(MaintenanceTestCase):
    def test_what_was_read_is_believed_for_a_while_and_no_longer(self) -> None:
        for opened, belief in (
            (None, CACHE_SECONDS),
            (window(is_open=False, phase=WindowPhase.SCHEDULED), CACHE_SECONDS),
            (READ_ONLY, CACHE_SECONDS_IN_A_WINDOW),
        ):
            with self.subTest(belief=belief):
                service = self.service(opened)
                service.current()
                self.seconds += belief * LEAST * 0.99
                service.current()
                self.assertEqual(self.reads(), 1)
                self.seconds += belief * (MOST - LEAST) * 1.1
                service.current()
                self.assertEqual(self.reads(), 2)

    def test_a_change_is_noticed(self) -> None:
        service = self.service(None)
        for opened in (None, FULL, None):
            self.windows.current.return_value = opened
            self.seconds += 1
            self.assertEqual(service.current(), opened)

    def test_every_process_has_noticed_a_window_when_its_opener_goes_on(self) -> None:
        self.assertLess(CACHE_SECONDS * MOST + READ_PATIENCE_SECONDS, SEEN_BY_ALL_SECONDS)

    def while_another_reads(self, service: MaintenanceService) -> Event:
        """Start a read of the window that returns none after the event is set."""
        begun, answered = Event(), Event()

        def read_slowly() -> None:
            begun.set()
            answered.wait(10)

        self.windows.current.side_effect = read_slowly
        reader = Thread(target=service.current)
        reader.start()
        self.addCleanup(reader.join)
        self.addCleanup(answered.set)
        begun.wait(10)
        return answered

    def test_who_comes_while_another_reads_is_told_what_that_one_reads(self) -> None:
        service = self.service(FULL)
        service.current()
        self.seconds += 3600
        answered = self.while_another_reads(service)
        self.enterContext(patch.object(module, "READ_PATIENCE_SECONDS", 10))
        told: list[Window | None] = []
        second = Thread(target=lambda: told.append(service.current()))
        second.start()
        second.join(0.05)
        self.assertEqual(told, [])
        answered.set()
        second.join(10)
        self.assertEqual(told, [None])
        self.assertEqual(self.reads(), 2)

    def test_nobody_waits_long_for_the_one_who_reads(self) -> None:
        service = self.service(FULL)
        service.current()
        self.seconds += 1
        self.while_another_reads(service)
        self.enterContext(patch.object(module, "READ_PATIENCE_SECONDS", 0.01))
        self.assertEqual(service.current(), FULL)

    def test_what_cannot_be_read_stays_as_it_was(self) -> None:
        service = self.service(FULL)
        service.current()
        self.windows.current.side_effect = UnavailableError("No answer.")
        self.seconds += 1
        with self.assertLogs(module.__name__, "WARNING") as logs:
            self.assertEqual(service.current(), FULL)
            self.seconds += 1
            self.assertEqual(service.current(), FULL)
            self.assertEqual((len(logs.output), self.reads()), (1, 3))
            self.seconds += QUIET_SECONDS
            service.current()
        self.assertEqual(len(logs.output), 2)

    def test_the_log_has_the_sentence_of_the_database_and_no_statement(self) -> None:
        denied = ProgrammingError("SELECT 1", {}, Exception("permission denied\nLINE 1: SELECT 1"))
        error = UnavailableError("No answer.")
        error.__cause__ = denied
        service = self.service(None)
        self.windows.current.side_effect = error
        with self.assertLogs(module.__name__, "WARNING") as logs:
            service.current()
        [told] = [record.getMessage() for record in logs.records]
        self.assertEqual(
            told, "The maintenance windows were not read: No answer. (permission denied)"
        )

    def test_after_an_error_somebody_else_may_read(self) -> None:
        service = self.service(None)
        self.windows.current.side_effect = [ZeroDivisionError, FULL]
        with suppress(ZeroDivisionError):
            service.current()
        self.seconds += 1
        self.assertEqual(service.current(), FULL)


class OrphanTest(MaintenanceTestCase):
    def test_the_window_of_a_dead_owner_is_settled(self) -> None:
        service = self.service(None)
        self.windows.current.side_effect = [window(orphaned=True), window(orphaned=True), None]
        self.assertIsNone(service.current())
        self.windows.settle_orphan.assert_called_once_with()

    def test_no_other_window_is(self) -> None:
        for opened in (None, FULL):
            self.service(opened).current()
            self.windows.settle_orphan.assert_not_called()

    def test_one_that_cannot_be_settled_is_known_all_the_same(self) -> None:
        orphan = window(mode=MaintenanceMode.FULL, orphaned=True)
        service = self.service(orphan)
        self.windows.settle_orphan.side_effect = UnavailableError("No answer.")
        with self.assertLogs(module.__name__, "WARNING"):
            self.assertEqual(service.current(), orphan)


class RetryAfterTest(TestCase):
    def test_it_lies_between_what_is_left_and_a_fifth_more(self) -> None:
        draining, failed = WindowPhase.DRAINING, WindowPhase.FAILED
        for opened, least, most in (
            (None, 5, 6),
            (window(phase=draining, seconds_left=900.0), 5, 6),
            (window(phase=failed, seconds_left=900.0), 60, 72),
            (window(seconds_left=None), 15, 18),
            (window(seconds_left=-1.0), 15, 18),
            (window(seconds_left=0.0), 1, 1),
            (window(seconds_left=0.2), 1, 1),
            (window(seconds_left=100.0), 100, 120),
            (window(seconds_left=86_400.0), 3600, 4320),
            (window(phase=WindowPhase.MIGRATING, seconds_left=10.0), 10, 12),
            (window(phase=WindowPhase.VERIFYING, seconds_left=10.0), 10, 12),
        ):
            with self.subTest(opened=opened):
                found = [retry_after(opened) for _ in range(50)]
                self.assertGreaterEqual(min(found), least)
                self.assertLessEqual(max(found), most)

    def test_callers_do_not_all_come_at_once(self) -> None:
        spread = {retry_after(window(seconds_left=1000.0)) for _ in range(50)}
        self.assertGreater(len(spread), 10)


class GateTest(MaintenanceTestCase):
    def test_only_a_full_window_that_is_open_forbids_reading(self) -> None:
        for opened in (None, READ_ONLY, window(mode=MaintenanceMode.FULL, is_open=False)):
            self.service(opened).require_reads(None)
        with self.assertRaises(MaintenanceError) as caught:
            self.service(FULL).require_reads(None)
        self.assertEqual(caught.exception.window, FULL)

    def test_callers_are_told_its_message_or_a_sentence(self) -> None:
        for message, told in (("Back at ten.", "Back at ten."), ("", "under maintenance")):
            opened = window(mode=MaintenanceMode.FULL, message=message)
            with self.assertRaisesRegex(MaintenanceError, told):
                self.service(opened).require_reads(None)


class BypassTest(MaintenanceTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.token = self.service(FULL).bypass_token(60)

    def assert_refused(self, token: str, opened: Window = FULL, key: str = "a key") -> None:
        with self.assertRaises(MaintenanceError):
            self.service(opened, key).require_reads(token)
        self.assertIsNone(current_scope().admitted_window)

    def test_its_bearer_is_let_in(self) -> None:
        self.service(FULL).require_reads(self.token)
        self.assertEqual(current_scope().admitted_window, FULL.id)

    def test_it_says_nothing_of_the_next_request(self) -> None:
        service = self.service(READ_ONLY)
        service.require_reads(self.token)
        service.require_reads(None)
        self.assertIsNone(current_scope().admitted_window)

    def test_without_a_window_it_says_nothing(self) -> None:
        self.service(None).require_reads(self.token)
        self.assertIsNone(current_scope().admitted_window)

    @shows("V9.2.1")
    def test_it_expires(self) -> None:
        self.seconds += 59
        self.service(FULL).require_reads(self.token)
        self.seconds += 1
        self.assert_refused(self.token)

    def test_it_is_for_one_window(self) -> None:
        self.assert_refused(self.token, window(id=8, mode=MaintenanceMode.FULL))

    def test_it_is_for_one_secret_key(self) -> None:
        self.assert_refused(self.token, key="another key")

    @shows("V9.1.1")
    def test_a_forged_one_is_refused(self) -> None:
        version, window_id, until, mac = self.token.split(".")
        changes: list[Callable[[], tuple[Any, ...]]] = [
            lambda: (version, window_id, int(until) + 60, mac),
            lambda: (version, int(window_id) + 1, until, mac),
            lambda: ("v2", window_id, until, mac),
            lambda: (version, window_id, until, "0" * len(mac)),
            lambda: (version, window_id, until, mac[:-1]),
            lambda: (version, window_id, until, ""),
        ]
        for change in changes:
            forged = ".".join(map(str, change()))
            with self.subTest(forged):
                self.assert_refused(forged)

    def test_what_is_no_token_is_refused(self) -> None:
        for token in ("", " ", ".", "...", "x", "v1", "v1.7", "v1.7.x.y", "v1.-.-.-", "é.ÿ", "٣.٣"):
            with self.subTest(token):
                self.assert_refused(token)

    def test_there_is_none_without_a_window(self) -> None:
        for opened in (None, window(is_open=False)):
            with self.assertRaisesRegex(ValidationError, "No window is open"):
                self.service(opened).bypass_token(60)

    def test_there_is_none_for_ever(self) -> None:
        service = self.service(FULL)
        for seconds in (-1, 0, LONGEST_BYPASS_SECONDS + 1):
            with self.assertRaisesRegex(ValidationError, "12 hours"):
                service.bypass_token(seconds)
        self.assertTrue(service.bypass_token(LONGEST_BYPASS_SECONDS))

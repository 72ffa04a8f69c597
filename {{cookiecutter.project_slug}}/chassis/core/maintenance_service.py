"""Maintenance windows as requests see them: cached for a second in each process."""

import logging
import random
import time
from datetime import datetime, timedelta
from threading import Lock

from chassis.core.errors import MaintenanceError, UnavailableError, ValidationError
from chassis.core.maintenance import MaintenanceMode, MaintenanceWindows, Window, WindowPhase
from chassis.core.request_scope import current_scope
from chassis.core.signing import Signer

# How long a process uses the cached window: it notices a new window within a second, and the end of
# one within half a second. Writers do not depend on the cache: the database rejects them.
CACHE_SECONDS, CACHE_SECONDS_IN_A_WINDOW = 0.8, 0.2
READ_PATIENCE_SECONDS = 0.2  # The wait for another thread that is reading the window.
QUIET_SECONDS = 10  # Between two log lines about the same problem.
LONGEST_BYPASS_SECONDS = 12 * 3600
# Retry-After: while writers end, after a failed migration, past the expected end, at most.
DRAINING_SECONDS, FAILED_SECONDS, OVERRUN_SECONDS, LONGEST_SECONDS = 5, 60, 15, 3600

_log = logging.getLogger(__name__)


def retry_after(window: Window | None) -> int:
    """Seconds for Retry-After, up to a fifth more at random, so that clients spread."""
    if window is None:
        seconds: float = DRAINING_SECONDS
    elif window.phase is WindowPhase.FAILED:
        seconds = FAILED_SECONDS
    elif window.phase is WindowPhase.DRAINING:
        seconds = DRAINING_SECONDS
    elif window.seconds_left is None or window.seconds_left < 0:
        seconds = OVERRUN_SECONDS
    else:
        seconds = min(max(window.seconds_left, 1), LONGEST_SECONDS)
    return round(seconds * random.uniform(1, 1.2))  # noqa: S311


class MaintenanceService:
    def __init__(self, windows: MaintenanceWindows, secret_key: str) -> None:
        self._windows = windows
        self._signer = Signer(secret_key, "maintenance bypass")
        self._window: Window | None = None
        self._cached_until = 0.0
        self._reading = Lock()
        self._quiet_until = 0.0

    def current(self) -> Window | None:
        """The open window, else the next one, as read at most a second ago.

        While one thread reads the window, the others wait for a moment: in a process that was idle,
        the cached window may be old. If the window cannot be read, the cached one stays.
        """
        if self._is_old() and self._reading.acquire(timeout=READ_PATIENCE_SECONDS):
            try:
                if self._is_old():
                    self._refresh()
            finally:
                self._reading.release()
        return self._window

    def read(self) -> Window | None:
        """Read the open window, else the next one. First settle a window whose owner died.

        Raise UnavailableError if the database does not answer in time.
        """
        window = self._windows.current()
        if window and window.orphaned:
            window = self._windows.current()  # Its owner may have ended it meanwhile.
        if window and window.orphaned:
            try:
                self._windows.settle_orphan()
            except UnavailableError as error:
                self._complain(error)
                return window
            window = self._windows.current()
        return window

    def open(
        self,
        mode: MaintenanceMode,
        message: str,
        *,
        starts_at: datetime | None,
        lasts: timedelta | None,
        patience: timedelta,
    ) -> Window:
        """Open a window now, or schedule one for `starts_at`.

        Raise ValidationError for a scheduled window without an end, and as MaintenanceWindows does.
        """
        if starts_at is None:
            return self._windows.start(mode, message, lasts, patience=patience)
        if lasts is None:
            raise ValidationError("A scheduled window needs duration_s.", field="duration_s")
        return self._windows.schedule(mode, message, starts_at, lasts)

    def require_reads(self, token: str | None) -> None:
        """Raise MaintenanceError in a window that forbids reading, unless `token` bypasses it."""
        scope = current_scope()
        scope.admitted_window = None
        window = self.current()
        if window and window.is_open:
            if token and self._admits(token, window):
                scope.admitted_window = window.id
            elif window.forbids_reads:
                raise MaintenanceError(window)

    def bypass_token(self, seconds: int) -> str:
        """A token to read and write in the open window. Raise ValidationError if none is open."""
        window = self._windows.current()
        if window is None or not window.is_open:
            raise ValidationError("No window is open.")
        if not 0 < seconds <= LONGEST_BYPASS_SECONDS:
            raise ValidationError("A bypass token is valid for 12 hours at most.")
        return self._signer.sign(f"v1.{window.id}.{time.time() + seconds:.0f}")

    def _admits(self, token: str, window: Window) -> bool:
        text = self._signer.verified(token)
        if text is None:
            return False
        _, window_id, until = text.split(".")
        return int(window_id) == window.id and time.time() < int(until)

    def _is_old(self) -> bool:
        return time.monotonic() >= self._cached_until

    def _refresh(self) -> None:
        try:
            self._window = self.read()
        except UnavailableError as error:
            self._complain(error)
        finally:
            in_a_window = self._window is not None and self._window.is_open
            cached = CACHE_SECONDS_IN_A_WINDOW if in_a_window else CACHE_SECONDS
            # Spread, so that processes do not read at the same time.
            self._cached_until = time.monotonic() + cached * random.uniform(0.9, 1.1)  # noqa: S311

    def _complain(self, error: UnavailableError) -> None:
        if time.monotonic() >= self._quiet_until:
            self._quiet_until = time.monotonic() + QUIET_SECONDS
            cause = getattr(error.__cause__, "orig", None) or error.__cause__
            # The first line is the database's own sentence; the statement follows it.
            reason = str(cause).strip().partition("\n")[0]
            _log.warning("The maintenance windows were not read: %s (%s)", error, reason)

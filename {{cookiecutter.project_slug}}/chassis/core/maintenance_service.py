"""Maintenance windows as requests see them: cached for a second in each process."""

import logging
import random
import time
from threading import Lock

from chassis.core.errors import MaintenanceError, UnavailableError, ValidationError
from chassis.core.maintenance import MaintenanceWindows, Window, WindowPhase
from chassis.core.request_scope import current_scope
from chassis.core.signing import Signer

# Seconds for which a process believes what it read. A window is noticed within the first, its end
# within the second; writers need neither, each asks the database as it begins.
BELIEF, BELIEF_IN_A_WINDOW = 0.8, 0.2
PATIENCE = 0.2  # For another thread of the process that is reading the window.
QUIET_SECONDS = 10
OVERRUN, LONGEST = 15, 3600
DRAINING, FAILED = 5, 60
LONGEST_BYPASS = 12 * 3600

_log = logging.getLogger(__name__)


def retry_after(window: Window | None) -> int:
    """Seconds for Retry-After, with up to a fifth more at random, so that clients spread."""
    if window is None:
        seconds: float = DRAINING
    elif window.phase is WindowPhase.FAILED:
        seconds = FAILED
    elif window.phase is WindowPhase.DRAINING:
        seconds = DRAINING
    elif window.seconds_left is None or window.seconds_left < 0:
        seconds = OVERRUN
    else:
        seconds = min(max(window.seconds_left, 1), LONGEST)
    return round(seconds * random.uniform(1, 1.2))  # noqa: S311


class MaintenanceService:
    def __init__(self, windows: MaintenanceWindows, secret_key: str) -> None:
        self._windows = windows
        self._signer = Signer(secret_key, "maintenance bypass")
        self._window: Window | None = None
        self._believed_until = 0.0
        self._reading = Lock()
        self._quiet_until = 0.0

    def current(self) -> Window | None:
        """The open window, else the next one, as read at most a second ago.

        Who comes while another thread reads it waits for that, but not for long: in a process that
        was idle, what was read before may be old. What cannot be read stays as it was.
        """
        if self._is_old() and self._reading.acquire(timeout=PATIENCE):
            try:
                if self._is_old():
                    self._refresh()
            finally:
                self._reading.release()
        return self._window

    def read(self) -> Window | None:
        """The same, read from the database, after the window of a dead owner was settled.

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
        """A token that lets its bearer into the window. Raise ValidationError if none is open."""
        window = self._windows.current()
        if window is None or not window.is_open:
            raise ValidationError("No window is open.")
        if not 0 < seconds <= LONGEST_BYPASS:
            raise ValidationError("A bypass token is valid for 12 hours at most.")
        return self._signer.sign(f"v1.{window.id}.{time.time() + seconds:.0f}")

    def _admits(self, token: str, window: Window) -> bool:
        told = self._signer.verified(token)
        if told is None:
            return False
        _, window_id, until = told.split(".")
        return int(window_id) == window.id and time.time() < int(until)

    def _is_old(self) -> bool:
        return time.monotonic() >= self._believed_until

    def _refresh(self) -> None:
        try:
            self._window = self.read()
        except UnavailableError as error:
            self._complain(error)
        finally:
            belief = BELIEF_IN_A_WINDOW if self._window and self._window.is_open else BELIEF
            # Spread, so that processes do not read at the same time.
            self._believed_until = time.monotonic() + belief * random.uniform(0.9, 1.1)  # noqa: S311

    def _complain(self, error: UnavailableError) -> None:
        if time.monotonic() >= self._quiet_until:
            self._quiet_until = time.monotonic() + QUIET_SECONDS
            _log.warning("Maintenance windows cannot be read: %s (%s)", error, error.__cause__)

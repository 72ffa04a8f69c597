"""What becomes of a window whose migration ended, or whose owner died: only a proof ends it."""

import getpass
import socket

from sqlalchemy import Connection

from chassis.core.maintenance import Window, WindowPhase
from chassis.maintenance.journal import PARTLY, proven_outcome
from chassis.maintenance.window_log import CLOSE_EXPIRED, WindowLog, current_window, require_own

OWNED = {WindowPhase.DRAINING, WindowPhase.MIGRATING}


class MigrationFailedError(Exception):
    """The schema may lie between two revisions; the window stays open."""


class ConnectionLostError(Exception):
    """The window ends when the schema is proven to be at a revision, which nobody could do yet."""


def actor() -> str:
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (KeyError, OSError):  # A user id without a name, in a container.
        return socket.gethostname()


def recover(connection: Connection, *, goes_on: bool = False) -> None:
    """Settle the window that a dead owner left. The caller has the mutex, so nobody else has.

    Whoever `goes_on` where the owner was joins a window between two of its revisions: it has never
    ended, so nothing was written since the first of them.
    """
    require_own(connection)
    connection.execute(CLOSE_EXPIRED)
    window = current_window(connection)
    if window and window.phase in OWNED:
        log = WindowLog(connection, actor=actor(), source="recovery")
        between = window.kind == "migration" and proven_outcome(connection, window) == PARTLY
        if goes_on and between:
            log.change(window.id, WindowPhase.FAILED)
        else:
            settle(connection, log, window, "its owner died")
    connection.commit()


def settle(connection: Connection, log: WindowLog, window: Window, why: str) -> WindowPhase | None:
    """Return the phase in which it goes on; None if it has ended. The caller commits.

    It ends, or goes back to whoever opened it by hand, if the schema is proven to be at a revision.
    """
    if window.kind == "manual" and window.target_revision is None:
        log.finish(window.id, "aborted", why)  # No migration has been here.
        return None
    outcome = proven_outcome(connection, window)
    if outcome is None:
        log.change(window.id, WindowPhase.FAILED)
        log.note(window.id, "not proven", why)
        return WindowPhase.FAILED
    if window.kind == "manual":
        reopen(log, window.id, mode=window.mode)
        log.note(window.id, outcome, why)
        return WindowPhase.ACTIVE
    log.finish(window.id, outcome, why)
    return None


def reopen(log: WindowLog, identity: int, **columns: object) -> None:
    """Give a window back to whoever opened it by hand."""
    log.change(identity, WindowPhase.ACTIVE, from_revision=None, target_revision=None, **columns)

"""Settles a window after its migration ended or its owner died, by the journal of steps."""

import getpass
import socket

from sqlalchemy import Connection

from chassis.core.maintenance import Window, WindowPhase
from chassis.maintenance.journal import PARTLY, proven_outcome
from chassis.maintenance.window_log import CLOSE_EXPIRED, WindowLog, current_window, require_own

OWNED = {WindowPhase.DRAINING, WindowPhase.MIGRATING}


class MigrationFailedError(Exception):
    """The schema may be between two revisions; the window stays open."""


class ConnectionLostError(Exception):
    """The connection was lost before the outcome was proven; recovery settles the window later."""


def actor() -> str:
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (KeyError, OSError):  # A user id without a name, in a container.
        return socket.gethostname()


def recover(connection: Connection, *, goes_on: bool = False) -> None:
    """Settle the window that a dead owner left. The caller holds the mutex.

    A caller that `goes_on` with the owner's migration joins a window between two revisions: the
    window never ended, so nothing was written since the first revision.
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
    """End a window or let it continue; return its phase, or None at its end. The caller commits.

    If the schema is proven to be at a revision, a window of a migration ends, and a window that was
    opened by hand stays open. Otherwise the window is marked as failed.
    """
    if window.kind == "manual" and window.target_revision is None:
        log.finish(window.id, "aborted", why)  # No migration has run in it.
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
    """Let a window that was opened by hand continue without the migration."""
    log.change(identity, WindowPhase.ACTIVE, from_revision=None, target_revision=None, **columns)

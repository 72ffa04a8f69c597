"""The maintenance window of a migration: opened, drained, and closed only on proof."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from psycopg2 import errorcodes
from sqlalchemy import Connection, event
from sqlalchemy.exc import DBAPIError, IntegrityError

from chassis.core.errors import BusyError
from chassis.core.maintenance import MaintenanceMode, Window, WindowPhase
from chassis.maintenance.drain import drain, release, wait_until_seen
from chassis.maintenance.journal import note_rolled_back, proven_outcome
from chassis.maintenance.migrator import NOTHING
from chassis.maintenance.recovery import (
    ConnectionLostError,
    MigrationFailedError,
    actor,
    reopen,
    settle,
)
from chassis.maintenance.window_log import WindowLog, current_window
from chassis.migrations.plan import Options, Plan
from chassis.postgres.error_translation import first_line, sqlstate
from chassis.postgres.locks import fence_of, holders
from chassis.postgres.ops_schema import OpsText

STILL_OPEN = OpsText("SELECT FROM ops.window WHERE id = :id AND phase <> 'off' FOR UPDATE")


class OpenWindow:
    """An open window. Its mode is the one that the running revision needs."""

    def __init__(
        self, connection: Connection, log: WindowLog, window: Window, joined: Window | None
    ) -> None:
        self.id = window.id
        self.mode = self._weakest = window.mode
        self.without_migration = replace(window, mode=joined.mode) if joined else window
        self.uncommitted: list[int] = []  # Running steps, none of which has committed anything.
        self.connection, self.log = connection, log

    def require(self, mode: MaintenanceMode) -> None:
        """Change to this mode, but not below the mode that was chosen by hand."""
        wanted = max(mode, self._weakest, key=lambda one: one.strength)
        if wanted is self.mode:
            return
        self.log.change(self.id, WindowPhase.MIGRATING, mode=wanted)
        self.connection.commit()
        wait_until_seen(self.connection, wanted)
        self.mode = wanted

    def run(self, step: Callable[[], None]) -> None:
        """Run a step, and notice its first commit: then the step cannot be rolled back as a whole.

        Alembic commits before each statement that runs outside a transaction.
        """

        def notice(_connection: Connection) -> None:
            self.uncommitted = []

        event.listen(self.connection, "commit", notice)
        try:
            step()
        finally:
            event.remove(self.connection, "commit", notice)


@contextmanager
def migration_window(
    connection: Connection, plan: Plan, options: Options
) -> Iterator[OpenWindow | None]:
    """Keep a window open during the block, if a step needs one.

    A window that is open already, by hand or since a failure, is joined. Raise BusyError if the
    writers do not end, MigrationFailedError instead of the block's error if the window stays.
    """
    log = WindowLog(connection, actor=actor(), source="migrator")
    joined = _locked(connection, open_window(connection))
    if not plan.steps:
        _end_what_is_proven(connection, log, joined)
    if not plan.steps or (plan.mode is MaintenanceMode.NONE and joined is None):
        yield None
        return
    begun = time.monotonic()
    window = _opened(connection, log, plan, joined, options.say)
    opened = OpenWindow(connection, log, window, joined)
    try:
        drain(connection, options.drain_timeout)
        options.say("window", f"#{window.id} drained in {time.monotonic() - begun:.2f} s")
        log.change(window.id, WindowPhase.MIGRATING)
        connection.commit()
        yield opened
        _close(connection, log, window, joined, options)
    except BaseException as error:
        _settle_after(error, opened, plan, options)
        raise
    ending = "is held open" if options.hold else "completed"
    refused = time.monotonic() - begun
    options.say("window", f"#{window.id} {ending}, writes were refused for {refused:.2f} s")


def _end_what_is_proven(connection: Connection, log: WindowLog, joined: Window | None) -> None:
    """End a failed window where the schema is proven to be at a revision."""
    if joined and joined.phase is WindowPhase.FAILED:
        if outcome := proven_outcome(connection, joined):
            log.finish(joined.id, outcome)
        connection.commit()


def _opened(
    connection: Connection,
    log: WindowLog,
    plan: Plan,
    joined: Window | None,
    say: Callable[[str, str], None],
) -> Window:
    try:
        window = _begin(connection, log, plan, joined)
    except IntegrityError as error:
        connection.rollback()
        raise BusyError("An operator has just opened a window.") from error
    writers = "; ".join(holders(connection, fence_of(connection))) or "nobody writes"
    connection.commit()
    say("window", f"#{window.id} {window.mode}, draining: {writers}")
    return window


def _close(
    connection: Connection, log: WindowLog, window: Window, joined: Window | None, options: Options
) -> None:
    if joined and joined.kind == "manual":
        reopen(log, window.id, mode=joined.mode)
    elif options.hold:
        log.change(window.id, WindowPhase.VERIFYING)
    else:
        log.finish(window.id, "completed")
    connection.commit()
    release(connection)


def open_window(connection: Connection) -> Window | None:
    window = current_window(connection)
    return window if window and window.is_open else None


def _let_a_late_cancel_pass(connection: Connection) -> None:
    """Run empty statements, so that a late cancel request ends one of them and no other."""
    for _ in range(2):
        connection.rollback()
        try:
            connection.execute(NOTHING)
        except DBAPIError as error:
            if sqlstate(error) != errorcodes.QUERY_CANCELED:
                raise


def _locked(connection: Connection, window: Window | None) -> Window | None:
    """Lock the window, so that nobody ends it before the migration has joined it."""
    is_open = window and connection.execute(STILL_OPEN, {"id": window.id}).first() is not None
    return window if is_open else None


def _begin(connection: Connection, log: WindowLog, plan: Plan, joined: Window | None) -> Window:
    """Begin the window in the mode read-only: reads continue while it drains."""
    if joined is None:
        log.insert(
            "migration",
            MaintenanceMode.READ_ONLY,
            WindowPhase.DRAINING,
            from_revision=plan.start,
            target_revision=plan.target,
        )
    else:
        # A failed window keeps its first revision: its migration was not undone.
        failed = joined.phase is WindowPhase.FAILED
        log.change(
            joined.id,
            WindowPhase.DRAINING,
            from_revision=joined.from_revision if failed else plan.start,
            target_revision=plan.target,
        )
    window = open_window(connection)
    assert window is not None  # noqa: S101  # The window was just inserted.
    return window


def _settle_after(error: BaseException, opened: OpenWindow, plan: Plan, options: Options) -> None:
    connection, window = opened.connection, opened.without_migration
    reason = (first_line(error) or "The migration was interrupted").rstrip(".")
    connection_lost = ConnectionLostError(
        f"{reason}. The connection was lost; window #{window.id} ends by itself when the schema is "
        "proven to be at a revision. Run the same command again."
    )
    if connection.invalidated:  # SQLAlchemy would open another connection, without the mutex.
        raise connection_lost from error
    try:
        _let_a_late_cancel_pass(connection)
        note_rolled_back(connection, opened.uncommitted)
        phase = settle(connection, opened.log, window, reason)
        connection.commit()
        release(connection)
    except DBAPIError as lost:
        raise connection_lost from lost
    if phase is None:
        options.say("window", f"#{window.id} has ended, the schema is at a revision")
    if phase is WindowPhase.FAILED:
        raise MigrationFailedError(
            f"{reason}. The schema may lie between two revisions, so window #{window.id} stays "
            f"open: correct the schema and run `python manage.py db {plan.direction} "
            f"{plan.target or 'base'}` again."
        ) from error

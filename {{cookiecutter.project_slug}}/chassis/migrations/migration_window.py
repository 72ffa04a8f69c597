"""The window around a migration: opened, drained, and closed only on proof."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from chassis.core.maintenance import MaintenanceMode, Window, WindowPhase
from chassis.maintenance.drain import drain, release, wait_until_seen
from chassis.maintenance.journal import proven_outcome
from chassis.maintenance.recovery import MigrationFailedError, actor, reopen, settle
from chassis.maintenance.window_log import WindowLog, current_window
from chassis.migrations.plan import Options, Plan
from chassis.postgres.error_translation import first_line
from chassis.postgres.locks import holders, mutex, write_fence


@contextmanager
def migration_window(
    connection: Connection, plan: Plan, mode: MaintenanceMode, options: Options
) -> Iterator[int | None]:
    """Keep a window of that mode open meanwhile, or none; give its id.

    One that is open already, by hand or since a migration failed, is joined. Raise BusyError if the
    writers do not end, MigrationFailedError instead of the block's error if the window stays.
    """
    log = WindowLog(connection, actor=actor(), source="migrator")
    joined = _open_window(connection)
    if not plan.steps:
        if joined and joined.phase is WindowPhase.FAILED:
            if outcome := proven_outcome(connection, joined):
                log.finish(joined.id, outcome)
            connection.commit()
        yield None
        return
    if mode is MaintenanceMode.NONE and joined is None:
        yield None
        return
    begun = time.monotonic()
    window = _begin(connection, log, plan, mode, joined)
    writers = "; ".join(holders(connection, write_fence())) or "nobody writes"
    connection.commit()
    options.say("window", f"#{window.id} {window.mode}, draining: {writers}")
    try:
        drain(connection, options.drain_timeout)
        options.say("window", f"#{window.id} drained in {time.monotonic() - begun:.2f} s")
        log.change(window.id, WindowPhase.MIGRATING)
        connection.commit()
        wait_until_seen(connection, window.mode)
        yield window.id
    except BaseException as error:
        given = replace(window, mode=joined.mode) if joined else window
        _settle_after(error, connection, log, given)
        raise
    if joined and joined.kind == "manual":
        reopen(log, window.id, mode=joined.mode)
    elif options.hold:
        log.change(window.id, WindowPhase.VERIFYING)
    else:
        log.finish(window.id, "completed")
    connection.commit()
    release(connection)
    kept = "is held open" if options.hold else "completed"
    refused = time.monotonic() - begun
    options.say("window", f"#{window.id} {kept}, writes were refused for {refused:.2f} s")


def _open_window(connection: Connection) -> Window | None:
    window = current_window(connection, mutex())
    return window if window and window.is_open else None


def _begin(
    connection: Connection, log: WindowLog, plan: Plan, mode: MaintenanceMode, joined: Window | None
) -> Window:
    if joined is None:
        log.insert(
            "migration",
            mode,
            WindowPhase.DRAINING,
            from_revision=plan.start,
            target_revision=plan.target,
        )
    else:
        # What failed began at its own revision, and has not been undone.
        failed = joined.phase is WindowPhase.FAILED
        log.change(
            joined.id,
            WindowPhase.DRAINING,
            mode=max(mode, joined.mode, key=lambda one: one.strength),
            from_revision=joined.from_revision if failed else plan.start,
            target_revision=plan.target,
        )
    window = _open_window(connection)
    assert window is not None  # noqa: S101  # It is the one that was just written.
    return window


def _settle_after(
    error: BaseException, connection: Connection, log: WindowLog, window: Window
) -> None:
    reason = first_line(error) or "It was interrupted"
    connection_lost = MigrationFailedError(
        f"{reason}. The connection was lost; the window ends when the schema is proven to be "
        "unchanged or complete: run `python manage.py db upgrade` again."
    )
    if connection.invalidated:  # It would open another one, without the mutex.
        raise connection_lost from error
    try:
        connection.rollback()
        phase = settle(connection, log, window, reason)
        connection.commit()
        release(connection)
    except DBAPIError as lost:
        raise connection_lost from lost
    if phase is WindowPhase.FAILED:
        raise MigrationFailedError(
            f"{reason}. The schema may lie between two revisions, so window #{window.id} stays "
            "open: put it right and run `python manage.py db upgrade` again."
        ) from error

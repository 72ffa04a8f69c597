from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from psycopg2 import errorcodes
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError

from chassis.core.errors import (
    BusyError,
    ConflictError,
    NotFoundError,
    UnavailableError,
    ValidationError,
)
from chassis.core.maintenance import (
    MaintenanceMode,
    MaintenanceWindows,
    Window,
    WindowEvent,
    WindowPhase,
)
from chassis.maintenance.drain import drain, release, wait_until_seen
from chassis.maintenance.migrator import (
    MutexHeldError,
    PoolerError,
    direct_connection,
    migrator,
)
from chassis.maintenance.recovery import actor, recover
from chassis.maintenance.revisions import revision_of
from chassis.maintenance.window_log import WindowLog, create_ops_schema, current_window
from chassis.postgres.error_translation import (
    first_line,
    sqlstate,
    translated_errors,
)
from chassis.postgres.locks import window_from
from chassis.postgres.ops_schema import OpsText

BY_ID = OpsText("""
    SELECT *, phase <> 'off' AND starts_at <= clock_timestamp() AS is_open,
        extract(epoch FROM expected_end - clock_timestamp())::float8 AS seconds_left
    FROM ops.window WHERE id = :id
""")
FAR = timedelta(days=366)  # A later time is a slip; the far future is beyond Python's calendar.
IS_PAST_OR_FAR = text("""
    SELECT clock_timestamp() >= :moment, clock_timestamp() + :far < :moment
""")
EVENTS = OpsText("""
    SELECT at, window_id, event, actor, source, detail FROM ops.event
    WHERE window_id = :id OR CAST(:id AS bigint) IS NULL ORDER BY id
""")
EXTEND = OpsText("""
    UPDATE ops.window SET expected_end = clock_timestamp() + :lasts,
        hard_end = CASE WHEN hard_end IS NOT NULL THEN clock_timestamp() + :lasts END
    WHERE id = :id
""")
LATEST = OpsText("""
    SELECT id, kind, mode, CASE WHEN is_over THEN 'off' ELSE phase END AS phase,
        CASE WHEN is_over THEN 'expired' ELSE outcome END AS outcome,
        starts_at, coalesce(finished_at, expected_end) AS until, message
    FROM ops.window, LATERAL (SELECT
        phase IN ('scheduled', 'active') AND hard_end <= clock_timestamp() AS is_over) AS time
    ORDER BY id DESC LIMIT :n
""")
UNTOUCHED = OpsText("""
    SELECT id FROM ops.window WHERE id = :id AND kind = 'manual'
    AND phase IN ('draining', 'active') AND target_revision IS NULL FOR UPDATE
""")
CANCEL = OpsText("""
    SELECT id FROM ops.window
    WHERE id = :id AND phase = 'scheduled' AND starts_at > clock_timestamp()
""")


class SqlMaintenanceWindows(MaintenanceWindows):
    """Maintenance windows in the database.

    `schedule` and `cancel` need the migrator's mutex. While a migration runs, `start` and
    `end` do without the mutex; `extend` never needs it.
    """

    def __init__(self, watch: Engine, url: str, source: str) -> None:
        """`url` leads to PostgreSQL itself; `source` is cli or api, for the log."""
        self._watch = watch
        self._url = url
        self._source = source

    def current(self) -> Window | None:
        try:
            with translated_errors(), self._watch.connect() as connection:
                return current_window(connection)
        except DBAPIError as error:  # There is no `ops`, or no right to read it.
            raise UnavailableError("Maintenance windows cannot be read.") from error

    def settle_orphan(self) -> None:
        try:
            with translated_errors(), migrator(self._url, wait=0) as connection:
                recover(connection)
        except BusyError:
            pass  # The owner is alive, or another process settles the window.
        except (PoolerError, DBAPIError) as error:
            raise UnavailableError(
                "The window that a dead process left open cannot be ended."
            ) from error

    def start(
        self,
        mode: MaintenanceMode,
        message: str,
        lasts: timedelta | None,
        *,
        expires: bool = True,
        patience: timedelta,
    ) -> Window:
        _require_short(lasts)
        values = {
            "message": message,
            "lasts": lasts,
            "expires_after": lasts if expires else None,
        }
        try:
            with self._alone() as (connection, log):
                _refuse_a_second(connection)
                identity = log.insert("manual", mode, WindowPhase.DRAINING, **values)
                _drain(connection, log, identity, patience)
                log.change(identity, WindowPhase.ACTIVE)
                connection.commit()
                wait_until_seen(connection, mode)
                return _by_id(connection, identity)
        except MutexHeldError:
            return self._start_beside(mode, values, patience)

    def _start_beside(
        self, mode: MaintenanceMode, values: dict[str, Any], patience: timedelta
    ) -> Window:
        """Open a window while a migration runs without one; later steps of it may join."""
        with self._beside() as (connection, log):
            _refuse_a_second(connection)
            # Not `draining`: only the holder of the mutex has that phase.
            identity = log.insert("manual", mode, WindowPhase.ACTIVE, **values)
            _drain(connection, log, identity, patience)
            wait_until_seen(connection, mode)
            return _by_id(connection, identity)

    def schedule(
        self, mode: MaintenanceMode, message: str, starts_at: datetime, lasts: timedelta
    ) -> Window:
        _require_short(lasts)
        with self._alone() as (connection, log):
            moment = {"moment": starts_at, "far": FAR}
            past, far = connection.execute(IS_PAST_OR_FAR, moment).one()
            if past or far:
                raise ValidationError(
                    f"A window cannot begin in the {'past' if past else 'far future'}."
                )
            try:
                identity = log.insert(
                    "manual",
                    mode,
                    WindowPhase.SCHEDULED,
                    message=message,
                    starts_at=starts_at,
                    lasts=lasts,
                    expires_after=lasts,
                )
            except IntegrityError as error:
                raise ConflictError(
                    "Another window is scheduled for a part of that time."
                ) from error
            return _by_id(connection, identity)

    def end(self, accept_schema: str | None = None, *, window_id: int | None = None) -> Window:
        try:
            with self._alone() as (connection, log):
                return _end(connection, log, accept_schema, window_id)
        except MutexHeldError:
            with self._beside() as (connection, log):
                window = current_window(connection)
                if window and window.is_open and _is_untouched(connection, window.id):
                    return _end(connection, log, accept_schema, window_id)
                # Another command may have ended the window in between.
                if (left := current_window(connection)) and left.is_open:
                    raise
                raise NotFoundError("No window is open.") from None

    def extend(self, lasts: timedelta) -> Window:
        """Change the end of a window that was opened by hand, counted from now. Needs no mutex."""
        _require_short(lasts)
        with self._beside() as (connection, log):
            window = current_window(connection)
            if window is None or not window.is_open:
                raise NotFoundError("No window is open.")
            if not _is_untouched(connection, window.id):
                raise ConflictError(f"Window {window.id} ends when its migration does.")
            connection.execute(EXTEND, {"id": window.id, "lasts": lasts})
            log.note(window.id, "extended", str(lasts))
            return _by_id(connection, window.id)

    def latest(self, number: int) -> list[dict[str, Any]]:
        """The windows, the newest first."""
        with translated_errors(), self._watch.connect() as connection:
            return [dict(row) for row in connection.execute(LATEST, {"n": number}).mappings()]

    def cancel(self, window_id: int) -> None:
        with self._alone() as (connection, log):
            if connection.execute(CANCEL, {"id": window_id}).scalar() is None:
                raise NotFoundError(f"No window {window_id} is scheduled.")
            log.finish(window_id, "cancelled")

    def events(self, window_id: int | None = None) -> list[WindowEvent]:
        with translated_errors(), self._watch.connect() as connection:
            rows = connection.execute(EVENTS, {"id": window_id})
            return [WindowEvent(**row) for row in rows.mappings()]

    @contextmanager
    def _alone(self) -> Iterator[tuple[Connection, WindowLog]]:
        with self._explained(), migrator(self._url, wait=0) as connection:
            create_ops_schema(connection)
            recover(connection)
            yield connection, WindowLog(connection, actor=actor(), source=self._source)
            connection.commit()

    @contextmanager
    def _beside(self) -> Iterator[tuple[Connection, WindowLog]]:
        """Yield a connection without the mutex, which another session may hold."""
        with self._explained(), direct_connection(self._url) as connection:
            yield connection, WindowLog(connection, actor=actor(), source=self._source)
            connection.commit()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            with translated_errors():
                yield
        except PoolerError as error:
            raise UnavailableError(str(error)) from error
        except ProgrammingError as error:
            if sqlstate(error) != errorcodes.INSUFFICIENT_PRIVILEGE:
                raise
            raise UnavailableError(
                "This database role may not change maintenance windows: name a role that may, in "
                "MIGRATION_DATABASE_URL."
            ) from error


def _refuse_a_second(connection: Connection) -> None:
    if (window := current_window(connection)) and window.is_open:
        raise ConflictError(f"Window {window.id} is open already.")


def _drain(connection: Connection, log: WindowLog, identity: int, patience: timedelta) -> None:
    connection.commit()
    try:
        drain(connection, patience.total_seconds())
    except BaseException as error:
        if _is_untouched(connection, identity):
            log.finish(identity, "aborted", first_line(error))
        connection.commit()
        raise
    release(connection)


def _is_untouched(connection: Connection, identity: int) -> bool:
    """Whether no migration has joined the window, which stays locked until the transaction ends."""
    return connection.execute(UNTOUCHED, {"id": identity}).scalar() is not None


def _end(
    connection: Connection, log: WindowLog, accept_schema: str | None, window_id: int | None
) -> Window:
    window = current_window(connection)
    if window is None or not window.is_open:
        raise NotFoundError("No window is open.")
    if window_id not in {None, window.id}:
        raise NotFoundError(f"Window {window_id} is not open.")
    if window.phase is WindowPhase.FAILED:
        revision = revision_of(connection)
        if accept_schema is None or accept_schema != revision:
            raise ConflictError(
                "A migration failed in this window. Run the migration's command again, or accept "
                f"the schema as it is, with --accept-schema {revision}."
            )
    log.finish(window.id, "completed" if accept_schema is None else "forced")
    return _by_id(connection, window.id)


def _require_short(lasts: timedelta | None) -> None:
    if lasts and lasts > FAR:
        raise ValidationError("A window lasts for a year at most.")


def _by_id(connection: Connection, identity: int) -> Window:
    return window_from(connection.execute(BY_ID, {"id": identity}).mappings().one())

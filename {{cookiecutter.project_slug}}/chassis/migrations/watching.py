"""Watches a migration from a second connection: its blockers, and an index's progress."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from chassis.maintenance.migrator import TOLD_SECONDS, WHO
from chassis.postgres.error_translation import first_line

ENDED_SECONDS = 0.2  # Between two searches for idle blockers to end.
PROCESS = text("SELECT pg_backend_pid()")
# https://www.postgresql.org/docs/current/progress-reporting.html#CREATE-INDEX-PROGRESS-REPORTING
PROGRESS = text("""
    SELECT format('%s: %s', coalesce(index_relid::regclass, relid::regclass), phase)
        || CASE WHEN blocks_total > 0 THEN format(', %s %% of the blocks',
            100 * blocks_done / blocks_total) ELSE '' END
    FROM pg_stat_progress_create_index WHERE pid = :pid
""")
BLOCKERS = text(f"""
    SELECT {WHO} FROM pg_stat_activity WHERE pid = ANY (pg_blocking_pids(:pid)) ORDER BY xact_start
""")  # noqa: S608
# Ends blockers that have been idle in a transaction for a second.
END_IDLE = text(f"""
    SELECT {WHO} AS who, pg_terminate_backend(pid) AS is_ended FROM pg_stat_activity
    WHERE pid = ANY (pg_blocking_pids(:pid)) AND state LIKE 'idle in transaction%'
    AND state_change < clock_timestamp() - '1 s'::interval
""")  # noqa: S608

Say = Callable[[str, str], object]


@contextmanager
def watching(connection: Connection, say: Say, *, end_idle: bool) -> Iterator[None]:
    """Report every few seconds what this connection waits for; end idle blockers if asked to."""
    ended = Event()
    pid = connection.execute(PROCESS).scalar_one()
    connection.rollback()
    watcher = _Watcher(connection.engine, pid, say, end_idle, ended)
    thread = Thread(target=watcher.run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@dataclass(slots=True)
class _Watcher:
    engine: Engine
    pid: int
    say: Say
    end_idle: bool
    ended: Event

    def run(self) -> None:
        try:
            if self.end_idle or not self.ended.wait(TOLD_SECONDS):
                self._look()
        except DBAPIError as error:
            self.say("warning", f"the search for blockers failed: {first_line(error.orig)}")

    def _look(self) -> None:
        pause = ENDED_SECONDS if self.end_idle else TOLD_SECONDS
        looks = round(TOLD_SECONDS / pause)
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            number = 0 if self.end_idle else looks
            while True:
                if self.end_idle:
                    self._end(connection)
                if number % looks == 0 and number:
                    self._tell(connection)
                number += 1
                if self.ended.wait(pause):
                    return

    def _tell(self, connection: Connection) -> None:
        for progress in connection.execute(PROGRESS, {"pid": self.pid}).scalars():
            self.say("index", progress)
        if blockers := "; ".join(connection.execute(BLOCKERS, {"pid": self.pid}).scalars()):
            self.say("waiting", f"for {blockers}")

    def _end(self, connection: Connection) -> None:
        for row in connection.execute(END_IDLE, {"pid": self.pid}):
            self.say("ended" if row.is_ended else "warning", f"the transaction of {row.who}")

"""Passes on what the outbox has: to a broker, or to threads of this process."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Connection

from chassis.core.errors import MaintenanceError, UnavailableError
from chassis.core.request_scope import enter_scope, leave_scope
from chassis.jobs.housekeeping import housekeep
from chassis.postgres.ops_schema import OpsText

SHORTEST_SLEEP, LONGEST_SLEEP = 0.025, 1.0
LONGEST_BACKOFF = 5.0
HOUSEKEEPING_SECONDS = 10
# Who takes a message has it alone until the lease ends. A relay that is killed, or frozen, in
# between publishes it twice at most: whoever gets it a second time finds the job begun or done.
CLAIM = OpsText("""
    WITH due AS (
        SELECT id FROM ops.outbox WHERE not_before <= now() ORDER BY not_before LIMIT :limit
        FOR UPDATE SKIP LOCKED
    ), taken AS (
        UPDATE ops.outbox SET not_before = now() + make_interval(secs => :lease)
        FROM due WHERE outbox.id = due.id RETURNING outbox.id, job_id
    )
    SELECT taken.id, job_id, task FROM taken LEFT JOIN ops.job ON job.id = job_id ORDER BY taken.id
""")
DELETE = OpsText("DELETE FROM ops.outbox WHERE id = ANY(:ids)")
RELEASE = OpsText("UPDATE ops.outbox SET not_before = now() WHERE id = ANY(:ids)")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Message:
    id: int  # Of its row.
    job_id: UUID
    task: str


class SinkError(Exception):
    """Nothing can be passed on at present."""


class Sink(Protocol):
    limit: int  # Of messages at a time.
    lease: int  # Seconds: more than it takes to pass these on.

    def send(self, messages: list[Message]) -> Iterator[Message]:
        """Give each that was accepted for good. Raise SinkError where no more can be."""

    def returned(self) -> Iterator[UUID]:
        """The jobs whose messages the sink gave up; each is forgotten when the next is asked."""


class Relay:
    def __init__(self, container: Any, sink: Sink) -> None:
        """`container` is the project's."""
        self._unit_of_work = container.unit_of_work()
        self._maintenance = container.maintenance_service()
        self._sink = sink
        self._stopping = Event()
        self._next_housekeeping = 0.0

    def stop(self, *_: object) -> None:
        """What is being passed on is finished; a handler of signals may call it."""
        self._stopping.set()

    def run(self) -> None:
        """Go on until `stop`, whatever does not answer."""
        sleep, backoff = SHORTEST_SLEEP, 0.1
        while not self._stopping.is_set():
            enter_scope(None)
            try:
                self._housekeep()
                passed = self.pass_on()
            except (SinkError, UnavailableError) as error:
                if not isinstance(error, MaintenanceError):
                    _log.warning("The relay waits: %s", error)
                self._stopping.wait(backoff)
                backoff = min(backoff * 2, LONGEST_BACKOFF)
                continue
            finally:
                leave_scope()
            backoff = 0.1
            sleep = SHORTEST_SLEEP if passed else min(sleep * 2, LONGEST_SLEEP)
            if passed < self._sink.limit:
                self._stopping.wait(sleep)

    def pass_on(self) -> int:
        """Pass on what is due, as much as the sink takes at a time; return how many were due.

        Raise MaintenanceError in a window, and then take nothing.
        """
        window = self._maintenance.current()
        if window and window.is_open:
            raise MaintenanceError(window)
        with self._connection() as connection:
            values = {"limit": self._sink.limit, "lease": self._sink.lease}
            rows = connection.execute(CLAIM, values).all()
        # Without its job, swept or rolled back by hand, a message means nothing.
        messages = [Message(*row) for row in rows if row.task]
        sent = [row.id for row in rows if not row.task]
        try:
            for message in self._sink.send(messages):
                sent.append(message.id)  # noqa: PERF401  # Those before an error count.
        finally:
            self._settle(sent, [row.id for row in rows])
        return len(rows)

    def _settle(self, sent: list[int], taken: list[int]) -> None:
        if not taken:
            return
        with self._connection() as connection:
            connection.execute(DELETE, {"ids": sent})
            if rest := sorted(set(taken) - set(sent)):
                connection.execute(RELEASE, {"ids": rest})

    def _housekeep(self) -> None:
        if time.monotonic() >= self._next_housekeeping:
            self._next_housekeeping = time.monotonic() + HOUSEKEEPING_SECONDS
            with self._connection() as connection:
                housekeep(connection, self._sink.returned())

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        """In a transaction that passes the write fence."""
        with self._unit_of_work() as work:
            yield work.connection

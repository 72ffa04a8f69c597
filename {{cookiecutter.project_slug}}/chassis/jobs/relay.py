"""The relay takes messages from the outbox and gives them to a sink: a broker, or local threads."""

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
# A relay that takes a message leases it: no other relay takes it until the lease ends. Where a
# relay is killed or frozen in between, the message is published twice, and the runner sees that the
# job has begun or is done.
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
    id: int  # The id of its row in ops.outbox.
    job_id: UUID
    task: str


class SinkError(Exception):
    """The sink accepts no messages at present."""


class Sink(Protocol):
    limit: int  # Messages in one batch.
    lease: int  # Seconds, longer than a batch takes.

    def send(self, messages: list[Message]) -> Iterator[Message]:
        """Yield each message that was durably accepted. Raise SinkError if the rest is not."""

    def returned(self) -> Iterator[UUID]:
        """Yield the jobs of dead-lettered messages; the next step acknowledges the last one."""


class Relay:
    def __init__(self, container: Any, sink: Sink) -> None:
        """`container` is the project's."""
        self._unit_of_work = container.unit_of_work()
        self._maintenance = container.maintenance_service()
        self._sink = sink
        self._stopping = Event()
        self._next_housekeeping = 0.0

    def stop(self, *_: object) -> None:
        """Let `run` return after the current batch. Safe to call from a signal handler."""
        self._stopping.set()

    def run(self) -> None:
        """Relay messages until `stop`; retry while the sink or the database does not answer."""
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
        """Give the sink one batch of messages that are due; return how many there were.

        Raise MaintenanceError, and take none, during a maintenance window.
        """
        window = self._maintenance.current()
        if window and window.is_open:
            raise MaintenanceError(window)
        with self._connection() as connection:
            values = {"limit": self._sink.limit, "lease": self._sink.lease}
            rows = connection.execute(CLAIM, values).all()
        # A message whose job was deleted is dropped.
        messages = [Message(*row) for row in rows if row.task]
        sent = [row.id for row in rows if not row.task]
        try:
            for message in self._sink.send(messages):
                # After an error, the messages sent before it still count.
                sent.append(message.id)  # noqa: PERF401
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
        """A connection in a transaction that passes the write fence."""
        with self._unit_of_work() as work:
            yield work.connection

"""SIGTERM and Ctrl-C during a migration: no signal is lost, and the schema is settled after it."""

import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import current_thread, main_thread
from typing import Any

import click
import psycopg2
from psycopg2 import errorcodes
from psycopg2.extensions import POLL_OK, POLL_READ, POLL_WRITE, set_wait_callback
from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class InsteadError(Exception):
    """Raised for a signal: after a KeyboardInterrupt, SQLAlchemy would drop the connection."""


class Interruption:
    """Turns a signal into a cancelled statement, or into an error before the next statement.

    An exception at the place where a signal arrives could be lost in a destructor, or break the
    protocol and cost the connection. A second signal is raised where it arrives. Only statements of
    the main thread are interrupted.
    """

    def __init__(self) -> None:
        self.is_pending = False
        self._woken, self._waker = os.pipe()
        os.set_blocking(self._waker, False)

    def receive(self, *_: object) -> None:
        if self.is_pending:
            raise KeyboardInterrupt
        self.is_pending = True

    def raise_pending(self, *_: object) -> None:
        """Raise InsteadError once for a pending signal; later statements can settle the schema."""
        if self.is_pending and _is_main():
            raise InsteadError

    def wait(self, connection: Any) -> None:
        """psycopg2's wait callback. https://www.psycopg.org/docs/advanced.html#green-support"""
        is_cancelled = not _is_main()
        while (state := connection.poll()) != POLL_OK:
            reading = [connection] if state == POLL_READ else []
            writing = [connection] if state == POLL_WRITE else []
            if not is_cancelled:
                reading.append(self._woken)
            ready, _, _ = select.select(reading, writing, [])
            if self._woken in ready:
                os.read(self._woken, 4096)
                is_cancelled = self.is_pending
                if is_cancelled:
                    connection.cancel()

    def translate(self, context: ExceptionContext) -> BaseException | None:
        """Raise an interruption for the error of a cancelled or prevented statement."""
        error = context.original_exception
        is_cancelled = (
            isinstance(error, psycopg2.Error) and error.pgcode == errorcodes.QUERY_CANCELED
        )
        if not (is_cancelled or isinstance(error, InsteadError)):
            return None
        if not (self.is_pending and _is_main()):
            return None
        self.is_pending = False
        return KeyboardInterrupt()

    def close(self) -> None:
        os.close(self._woken)
        os.close(self._waker)

    @property
    def waker(self) -> int:
        return self._waker


def _is_main() -> bool:
    return current_thread() is main_thread()


@contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGTERM and Ctrl-C end the block, with a sentence and exit code 1."""
    interruption = Interruption()
    before = [signal.signal(number, interruption.receive) for number in SIGNALS]
    waker = signal.set_wakeup_fd(interruption.waker, warn_on_full_buffer=False)
    set_wait_callback(interruption.wait)
    event.listen(Engine, "before_cursor_execute", interruption.raise_pending)
    event.listen(Engine, "handle_error", interruption.translate)
    try:
        yield
    except KeyboardInterrupt:
        raise click.ClickException("The command was interrupted. Run it again to go on.") from None
    finally:
        event.remove(Engine, "handle_error", interruption.translate)
        event.remove(Engine, "before_cursor_execute", interruption.raise_pending)
        set_wait_callback(None)
        signal.set_wakeup_fd(waker)
        for number, handler in zip(SIGNALS, before, strict=True):
            signal.signal(number, handler)
        with suppress(OSError):
            interruption.close()

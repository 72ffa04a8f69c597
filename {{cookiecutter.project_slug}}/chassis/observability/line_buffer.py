"""Buffers log lines, so that no thread waits for a reader of the log that has stopped."""

import os
import select
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from threading import Condition, Thread
from typing import BinaryIO

MOST_BYTES = 4_000_000
LEAVE_SECONDS = 1.0  # How long the end of a process waits for the remaining lines.


class Outlet:
    """A file or pipe that can be written to without waiting.

    Writing to a file never waits. A pipe is opened a second time, in non-blocking mode, because the
    first handle is shared with other programs. `count_lost` counts the lines that cannot be
    written, because a disk is full or the reader has gone.
    """

    def __init__(self, stream: BinaryIO, count_lost: Callable[[], object]) -> None:
        self._stream = stream
        self._count_lost = count_lost
        self._number: int | None = None  # Of the file, or of the pipe that was opened again.
        self._longest = 0  # In bytes; a longer line may be written in parts.
        self._opened = False
        self._is_torn = False  # Whether the last line was written in part.
        # In memory, or not on Linux: only blocking writes.
        with suppress(OSError, ValueError):
            number = stream.fileno()
            mode = os.fstat(number).st_mode
            if stat.S_ISREG(mode):
                self._number, self._longest = number, sys.maxsize
            if stat.S_ISFIFO(mode):
                self._number = os.open(f"/proc/self/fd/{number}", os.O_WRONLY | os.O_NONBLOCK)
                self._longest, self._opened = select.PIPE_BUF, True

    def write(self, line: bytes) -> None:
        # A process that cannot log still serves.
        try:
            self._stream.write(line)
            self._stream.flush()
        except (OSError, ValueError):
            self._count_lost()

    def write_at_once(self, line: bytes) -> bool:
        """Write the line, or return False and write nothing if the write would wait."""
        number = self._number
        if number is None or len(line) > self._longest or self._stream.closed:
            return False
        if self._is_torn:
            self._is_torn, line = False, b"\n" + line
        try:
            if os.write(number, line) < len(line):  # The disk is full.
                self._is_torn = True
                self._count_lost()
        except BlockingIOError:
            return False
        except OSError:
            self._count_lost()
        return True

    def close(self) -> None:
        if self._opened and self._number is not None:
            os.close(self._number)
            self._number = None


class LineBuffer:
    """Buffers lines that cannot be written at once; a thread writes them.

    Lines beyond the buffer's size are dropped and counted.
    """

    def __init__(
        self,
        outlet: Outlet,
        resumed: Callable[[int], bytes],
        count_dropped: Callable[[], None],
    ) -> None:
        """`resumed` makes the line with the number of dropped lines, when the reader goes on."""
        self._outlet = outlet
        self._resumed = resumed
        self._count_dropped = count_dropped
        self._thread: Thread | None = None
        self._pid = 0

    def put(self, line: bytes) -> None:
        if self._pid != os.getpid():
            self._begin()  # A forked process has no such thread yet.
        # Without the lock, because writing lets other threads run, which would wait for the lock.
        if not (self._size or self._dropped) and self._outlet.write_at_once(line):
            return
        with self._changed:
            if self._thread is None:
                self._thread = Thread(target=self._run, args=[self._lines], daemon=True, name="log")
                self._thread.start()
            has_room = self._size + len(line) <= MOST_BYTES
            if has_room:
                self._size += len(line)
                self._lines.put(line)
            else:
                self._dropped += 1
        if not has_room:
            self._count_dropped()

    def flush(self) -> None:
        """Wait for the reader, for a limited time."""
        if self._pid == os.getpid():
            with self._changed:
                self._changed.wait_for(lambda: not self._size, LEAVE_SECONDS)

    def close(self) -> None:
        self.flush()
        if self._pid == os.getpid():
            self._lines.put(None)
            self._pid = 0

    def _begin(self) -> None:
        self._lines: SimpleQueue[bytes | None] = SimpleQueue()
        self._size = self._dropped = 0
        self._changed = Condition()
        self._thread = None
        self._pid = os.getpid()

    def _run(self, lines: SimpleQueue[bytes | None]) -> None:
        while (line := lines.get()) is not None:
            self._outlet.write(line)
            with self._changed:
                dropped, self._dropped = self._dropped, 0
            if dropped:
                self._outlet.write(self._resumed(dropped))
            with self._changed:
                self._size -= len(line)
                if not self._size:
                    self._changed.notify_all()

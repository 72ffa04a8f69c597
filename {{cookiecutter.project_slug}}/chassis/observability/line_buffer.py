"""Between those who log and whoever reads the log, and may have stopped to."""

import os
from collections.abc import Callable
from queue import SimpleQueue
from threading import Condition, Thread

MOST_BYTES = 4_000_000
LEAVE_SECONDS = 1.0  # For what is left, where the process ends.


class LineBuffer:
    """A thread writes the lines, and may wait. What has no room is dropped, and counted."""

    def __init__(
        self,
        write: Callable[[bytes], None],
        resumed: Callable[[int], bytes],
        count_dropped: Callable[[], None],
    ) -> None:
        """`resumed` makes the line that says how many are missing, when the reader goes on."""
        self._write = write
        self._resumed = resumed
        self._count_dropped = count_dropped
        self._pid = 0

    def put(self, line: bytes) -> None:
        if self._pid != os.getpid():
            self._begin()  # Of a process that was forked the thread is not there.
        with self._changed:
            has_room = self._size + len(line) <= MOST_BYTES
            if has_room:
                self._size += len(line)
                self._lines.put(line)
            else:
                self._dropped += 1
        if not has_room:
            self._count_dropped()

    def flush(self) -> None:
        """Wait for the reader, but not for long."""
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
        self._pid = os.getpid()
        Thread(target=self._run, args=[self._lines], daemon=True, name="log").start()

    def _run(self, lines: SimpleQueue[bytes | None]) -> None:
        while (line := lines.get()) is not None:
            self._write(line)
            with self._changed:
                dropped, self._dropped = self._dropped, 0
            if dropped:
                self._write(self._resumed(dropped))
            with self._changed:
                self._size -= len(line)
                if not self._size:
                    self._changed.notify_all()

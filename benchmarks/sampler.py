"""A statistical profiler: where the CPU time of the main thread goes, by the stack at each tick."""

import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

INTERVAL = 0.001  # The kernel rounds it up to its own tick.
Stack = tuple[tuple[str, str], ...]  # Innermost first: the file's path and the function's name.


@dataclass(slots=True)
class Sampler:
    """Counts stacks. What a C function takes is its caller's, for C has no frames of Python's."""

    stacks: Counter[Stack] = field(default_factory=Counter)

    @contextmanager
    def running(self) -> Iterator[None]:
        signal.signal(signal.SIGPROF, self._take)
        signal.setitimer(signal.ITIMER_PROF, INTERVAL, INTERVAL)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)

    def _take(self, _number: int, frame: FrameType | None) -> None:
        stack = []
        while frame:
            stack.append((frame.f_code.co_filename, frame.f_code.co_name))
            frame = frame.f_back
        self.stacks[tuple(stack)] += 1

"""A sampling profiler: records the main thread's stack at each tick of CPU time."""

import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

INTERVAL = 0.001  # The kernel rounds this up to its own tick.
Stack = tuple[
    tuple[str, str], ...
]  # Innermost frame first: path of the file and name of the function.


@dataclass(slots=True)
class Sampler:
    """Counts stacks.

    The time of a C function counts for its caller, because C has no Python frame.
    """

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

import time
from threading import Lock


class CircuitBreaker:
    """Keeps callers from a dependency that failed, until the dependency works again.

    Until then, `admits` lets one caller try every `pause` seconds, and rejects all others.
    """

    def __init__(self, pause: float) -> None:
        self._pause = pause
        self._retry_at = 0.0  # 0 while the dependency works.
        self._lock = Lock()

    def admits(self) -> bool:
        """Whether the caller may use the dependency; the caller then calls `failed` or `worked`."""
        if not self._retry_at:
            return True
        with self._lock:
            if time.monotonic() < self._retry_at:
                return False
            self.failed()  # The other callers are rejected until this one reports.
        return True

    def failed(self) -> None:
        self._retry_at = time.monotonic() + self._pause

    def worked(self) -> None:
        self._retry_at = 0.0

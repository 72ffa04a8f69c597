import time
from threading import Lock


class CircuitBreaker:
    """Keeps callers from something that failed, until it works again.

    While it fails, one caller tries it once in `pause` seconds, and the others do without it.
    """

    def __init__(self, pause: float) -> None:
        self._pause = pause
        self._retry_at = 0.0  # 0 while it works.
        self._lock = Lock()

    def admits(self) -> bool:
        """Whether the caller may use it now; if so, `failed` or `worked` is to be called."""
        if not self._retry_at:
            return True
        with self._lock:
            if time.monotonic() < self._retry_at:
                return False
            self.failed()  # For the others, until it is known.
        return True

    def failed(self) -> None:
        self._retry_at = time.monotonic() + self._pause

    def worked(self) -> None:
        self._retry_at = 0.0

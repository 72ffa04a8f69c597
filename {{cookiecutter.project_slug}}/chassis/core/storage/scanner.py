from abc import ABC, abstractmethod
from collections.abc import Iterable


class Scanner(ABC):
    """Looks for malware."""

    @abstractmethod
    def finding(self, pieces: Iterable[bytes]) -> str | None:
        """The name of what was found in a content, None if nothing was.

        Raise UnavailableError if it cannot be looked at: then nothing is accepted.
        """

from abc import ABC, abstractmethod
from collections.abc import Iterable


class Scanner(ABC):
    """Scans contents for malware."""

    @abstractmethod
    def finding(self, pieces: Iterable[bytes]) -> str | None:
        """Return the name of the malware in the content, None where there is none.

        Raise UnavailableError where the content cannot be scanned: then it is not accepted.
        """

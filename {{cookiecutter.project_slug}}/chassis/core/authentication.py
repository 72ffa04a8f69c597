from abc import ABC, abstractmethod
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, and what they have been allowed to do."""

    subject: str
    scopes: frozenset[str]


class Authenticator(ABC):
    @abstractmethod
    def authenticate(self, token: str, *, patient: bool) -> Principal:
        """Who is `patient` needs to know, and may be kept waiting; others do without.

        Raise AuthenticationError if it is not good, UnavailableError if that cannot be known.
        """

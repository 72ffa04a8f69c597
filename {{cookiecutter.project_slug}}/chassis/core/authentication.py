from abc import ABC, abstractmethod
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, and what they have been allowed to do."""

    subject: str
    scopes: frozenset[str]


class Authenticator(ABC):
    @abstractmethod
    def authenticate(self, token: str) -> Principal:
        """Raise AuthenticationError if it is not good, UnavailableError if that cannot be known."""

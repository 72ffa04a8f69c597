from abc import ABC, abstractmethod
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller: the subject of the token, and the scopes that the token grants."""

    subject: str
    scopes: frozenset[str]


class Authenticator(ABC):
    @abstractmethod
    def authenticate(self, token: str, *, patient: bool) -> Principal:
        """The principal of a token. With `patient`, the call may wait for the issuer's keys.

        Raise AuthenticationError for an invalid token, UnavailableError if no key can be fetched.
        """

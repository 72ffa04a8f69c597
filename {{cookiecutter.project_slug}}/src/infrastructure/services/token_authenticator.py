from hmac import compare_digest

from src.domain.exceptions import AuthenticationError
from src.services.ports import Authenticator


class TokenAuthenticator(Authenticator):
    """Knows one bearer token (RFC 6750)."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    def authenticate(self, authorization: str | None) -> None:
        scheme, _, token = (authorization or "").partition(" ")
        known = self._token and compare_digest(token.strip().encode(), self._token)
        if scheme.lower() != "bearer" or not known:
            raise AuthenticationError("A valid bearer token is needed.")

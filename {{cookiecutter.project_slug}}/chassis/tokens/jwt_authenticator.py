from typing import Any

import jwt

from chassis.core.authentication import Authenticator, Principal
from chassis.core.errors import AuthenticationError
from chassis.tokens.signing_keys import SigningKeys

# Asymmetric ones: who can check a token cannot make one. https://www.rfc-editor.org/rfc/rfc8725
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]
# Of an access token (RFC 9068, section 4), and of those that say no more than that they are one.
TYPES = {"jwt", "at+jwt", "application/at+jwt"}
REQUIRED = ["exp", "iss", "aud", "sub"]
LEEWAY_SECONDS = 10  # Of the issuer's clock against ours.
LONGEST = 8192


class JwtAuthenticator(Authenticator):
    """Takes the tokens that an issuer has signed for this audience (RFC 9068, section 4)."""

    def __init__(self, keys: SigningKeys, *, issuer: str, audience: str) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience

    def authenticate(self, token: str) -> Principal:
        try:
            return _principal(self._claims(token))
        except jwt.ExpiredSignatureError as error:
            raise AuthenticationError("The token has expired.") from error
        # What a token holds is anybody's, and PyJWT does not foresee all of it.
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise AuthenticationError("The token is not valid here.") from error

    def _claims(self, token: str) -> dict[str, Any]:
        if len(token) > LONGEST:
            raise ValueError(token[:10])
        header = jwt.get_unverified_header(token)
        if str(header.get("typ", "JWT")).lower() not in TYPES:
            raise ValueError(header["typ"])
        claims: dict[str, Any] = jwt.decode(
            token,
            self._keys.find(header.get("kid")),
            algorithms=ALGORITHMS,
            issuer=self._issuer,
            audience=self._audience,
            leeway=LEEWAY_SECONDS,
            options={"require": REQUIRED},
        )
        return claims


def _principal(claims: dict[str, Any]) -> Principal:
    """Scopes are words of `scope` (RFC 8693, section 4.2), or what some issuers have in `scp`."""
    scopes = claims.get("scope", claims.get("scp", ""))
    words = scopes.split() if isinstance(scopes, str) else scopes
    if not claims["sub"] or not all(isinstance(word, str) for word in words):
        raise ValueError(scopes)
    return Principal(subject=claims["sub"], scopes=frozenset(words))

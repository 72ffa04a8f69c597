import time
from collections.abc import Sequence
from hashlib import sha256
from threading import Lock
from typing import Any, NamedTuple

import jwt

from chassis.core.authentication import Authenticator, Principal
from chassis.core.errors import DomainError
from chassis.tokens.claims import Validity, principal, refusal, require_audience, validity
from chassis.tokens.json_web_keys import ALGORITHMS, PublicKey
from chassis.tokens.signing_keys import SigningKeys

# `typ` of access tokens (RFC 9068, section 4), and of plain JWTs.
TYPES = {"jwt", "at+jwt", "application/at+jwt"}
LEEWAY_SECONDS = 10  # Tolerance, in seconds, between the issuer's clock and ours.
LONGEST = 8192
MOST_REMEMBERED = 4096  # Remembered tokens of a process; about 2 MB.
REASONS = {
    jwt.ExpiredSignatureError: "expired",
    jwt.ImmatureSignatureError: "not yet valid",
    jwt.InvalidAudienceError: "audience",
    jwt.InvalidIssuerError: "issuer",
    jwt.InvalidSignatureError: "signature",
    jwt.InvalidAlgorithmError: "algorithm",
    jwt.MissingRequiredClaimError: "a claim is missing",
}


class _Verified(NamedTuple):
    principal: Principal
    key: PublicKey
    key_id: str | None  # The key id in the token's header.
    validity: Validity


class JwtAuthenticator(Authenticator):
    """Accepts the tokens that an issuer has signed for this audience (RFC 9068, section 4).

    A verified token is remembered by its SHA-256. For a remembered token only the times, and
    whether the issuer still publishes the key, are checked again.
    """

    def __init__(
        self,
        keys: SigningKeys,
        *,
        issuer: str,
        audience: str,
        audience_claim: str = "aud",
        scope_claims: Sequence[str] = ("scope", "scp"),
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._audience_claim = audience_claim
        self._scope_claims = scope_claims
        self._remembered: dict[bytes, _Verified] = {}
        self._changing = Lock()

    def authenticate(self, token: str, *, patient: bool) -> Principal:
        digest = sha256(token.encode(errors="surrogatepass")).digest()
        verified = self._remembered.get(digest)
        if verified is None or not self._holds(verified, patient=patient):
            verified = self._verify(token, patient=patient)
            self._remember(digest, verified)
        return verified.principal

    def _holds(self, verified: _Verified, *, patient: bool) -> bool:
        """Whether the token is valid now and its key is published. Raise what the keys raise."""
        now, (not_before, expires_at) = time.time(), verified.validity
        return (
            not_before <= now + LEEWAY_SECONDS
            and now - LEEWAY_SECONDS < int(expires_at)
            and verified.key in self._keys.find(verified.key_id, patient=patient)
        )

    def _remember(self, digest: bytes, verified: _Verified) -> None:
        with self._changing:
            self._remembered.pop(digest, None)
            if len(self._remembered) >= MOST_REMEMBERED:
                del self._remembered[next(iter(self._remembered))]
            self._remembered[digest] = verified

    def _verify(self, token: str, *, patient: bool) -> _Verified:
        """Raise AuthenticationError for every invalid token, and what the keys raise."""
        try:
            return self._verified(token, patient=patient)
        except DomainError:
            raise
        # Anybody can write a token, and PyJWT does not foresee every content.
        except Exception as error:
            reasons = (reason for kind, reason in REASONS.items() if isinstance(error, kind))
            raise refusal(next(reasons, "malformed")) from error

    def _verified(self, token: str, *, patient: bool) -> _Verified:
        if len(token) > LONGEST:
            raise refusal("too long")
        header = jwt.get_unverified_header(token)
        if str(header.get("typ", "JWT")).lower() not in TYPES:
            raise refusal("type")
        algorithm, key_id = header["alg"], header.get("kid")
        if algorithm not in ALGORITHMS:
            raise refusal("algorithm")
        keys = self._keys.find(key_id, patient=patient)
        fitting = [key for key in keys if algorithm in key.algorithms]
        for number, key in enumerate(fitting, start=1):
            try:
                claims = self._claims(token, key, algorithm)
            except jwt.InvalidSignatureError:
                if number == len(fitting):
                    raise
            else:
                bearer = principal(claims, self._scope_claims)
                return _Verified(bearer, key, key_id, validity(claims))
        raise refusal("algorithm")

    def _claims(self, token: str, key: PublicKey, algorithm: str) -> dict[str, Any]:
        usual = self._audience_claim == "aud"
        claims: dict[str, Any] = jwt.decode(
            token,
            key.material,
            algorithms=[algorithm],
            issuer=self._issuer,
            audience=self._audience if usual else None,
            leeway=LEEWAY_SECONDS,
            options={"require": ["exp", "iss", self._audience_claim, "sub"], "verify_aud": usual},
        )
        if not usual:
            require_audience(claims, self._audience_claim, self._audience)
        return claims

"""Tokens for development, signed with a key that is derived from SECRET_KEY."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm

from chassis.core.signing import derived_key
from chassis.tokens.json_web_keys import public_key
from chassis.tokens.signing_keys import FixedKeys

ISSUER = "development"
KEY_ID = "development"


def development_keys(secret_key: str) -> FixedKeys:
    public = OKPAlgorithm.to_jwk(_private_key(secret_key).public_key(), as_dict=True)
    return FixedKeys([public_key(public | {"kid": KEY_ID})])


def development_token(
    secret_key: str, *, audience: str, subject: str, scopes: Sequence[str], lasts: timedelta
) -> str:
    claims = {
        "iss": ISSUER,
        "aud": audience,
        "sub": subject,
        "scope": " ".join(scopes),
        "exp": datetime.now(UTC) + lasts,
    }
    return jwt.encode(claims, _private_key(secret_key), "EdDSA", headers={"kid": KEY_ID})


def _private_key(secret_key: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(derived_key(secret_key, "development tokens"))

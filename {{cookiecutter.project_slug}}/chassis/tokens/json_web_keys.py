"""Keys as issuers publish them (RFC 7517): which are good for checking a token, with what."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK

# Asymmetric ones: who can check a token cannot make one. https://www.rfc-editor.org/rfc/rfc8725
RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
# By the key's type and curve (RFC 7518, sections 3.3 to 3.5; RFC 8037, section 3.1).
FITTING: Mapping[tuple[object, object], Sequence[str]] = {
    ("RSA", None): RSA,
    ("EC", "P-256"): ("ES256",),
    ("EC", "P-384"): ("ES384",),
    ("OKP", "Ed25519"): ("EdDSA",),
}
ALGORITHMS = frozenset(name for names in FITTING.values() for name in names)
FEWEST_RSA_BITS = 2048  # RFC 7518, section 3.3.
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class PublicKey:
    """Equal to itself only: a key that was read again is another one."""

    key_id: str | None
    algorithms: frozenset[str]  # With which a token that it signed may say that it was signed.
    material: Any


def read_key_set(text: bytes) -> Sequence[PublicKey]:
    """Leave out what is no good; raise ValueError, or what JSON raises, if nothing is left."""
    keys = []
    for jwk in json.loads(text)["keys"]:
        try:
            keys.append(public_key(jwk))
        except Exception as error:  # The libraries foresee not every key.
            _log.info("A key of the issuer's set is not used: %s", error)
    if not keys:
        raise ValueError("No key in it is good for checking tokens.")
    return keys


def public_key(jwk: Mapping[str, Any]) -> PublicKey:
    """Raise ValueError, or what the libraries raise, for one with which no token is checked."""
    if "d" in jwk or "k" in jwk:
        raise ValueError("It is a private key.")
    if jwk.get("use", "sig") != "sig" or "verify" not in jwk.get("key_ops", ["verify"]):
        raise ValueError("It is not for signatures.")
    fitting = FITTING.get((jwk["kty"], jwk.get("crv")), ())
    algorithms = [name for name in fitting if jwk.get("alg") in (None, name)]
    key_id = jwk.get("kid")
    if not algorithms or not isinstance(key_id, str | None):
        raise ValueError("Its type, curve, algorithm or name is none that is taken.")
    material = PyJWK(dict(jwk), algorithms[0]).key
    if isinstance(material, RSAPublicKey) and material.key_size < FEWEST_RSA_BITS:
        raise ValueError(f"It has {material.key_size} bits, fewer than {FEWEST_RSA_BITS}.")
    return PublicKey(key_id, frozenset(algorithms), material)

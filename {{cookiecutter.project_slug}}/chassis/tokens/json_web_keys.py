"""Reads an issuer's key set (RFC 7517): the usable keys, and the algorithms of each."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK

# Asymmetric algorithms, so that this service cannot make tokens (RFC 8725).
RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
# Algorithms by type and curve of a key (RFC 7518, 3.3 to 3.5; RFC 8037, 3.1).
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
    """A public key, equal only to itself: a key that was read again is another one."""

    key_id: str | None
    algorithms: frozenset[str]  # The algorithms that a token signed with this key may name.
    material: Any


def read_key_set(text: bytes) -> Sequence[PublicKey]:
    """The usable keys of a set. Raise ValueError if the set is malformed or has none."""
    keys = []
    for jwk in json.loads(text)["keys"]:
        try:
            keys.append(public_key(jwk))
        except Exception as error:  # The libraries raise all kinds of errors for malformed keys.
            _log.info("A key of the issuer's set is not used: %s", error)
    if not keys:
        raise ValueError("The key set has no usable key.")
    return keys


def public_key(jwk: Mapping[str, Any]) -> PublicKey:
    """Read one key. Raise an exception of any type for a key that cannot be used."""
    if "d" in jwk or "k" in jwk:
        raise ValueError("The key is private.")
    if jwk.get("use", "sig") != "sig" or "verify" not in jwk.get("key_ops", ["verify"]):
        raise ValueError("The key is not for signatures.")
    fitting = FITTING.get((jwk["kty"], jwk.get("crv")), ())
    algorithms = [name for name in fitting if jwk.get("alg") in (None, name)]
    key_id = jwk.get("kid")
    if not algorithms or not isinstance(key_id, str | None):
        raise ValueError("The type, curve, algorithm or name of the key is not supported.")
    material = PyJWK(dict(jwk), algorithms[0]).key
    if isinstance(material, RSAPublicKey) and material.key_size < FEWEST_RSA_BITS:
        raise ValueError(f"The key has {material.key_size} bits, fewer than {FEWEST_RSA_BITS}.")
    return PublicKey(key_id, frozenset(algorithms), material)

from base64 import urlsafe_b64encode
from typing import Any
from unittest import TestCase

import orjson
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from chassis.development.testing.security_table import shows
from chassis.tokens.json_web_keys import RSA, public_key, read_key_set

PAIR = rsa.generate_private_key(public_exponent=65537, key_size=2048)
RSA_KEY: dict[str, Any] = RSAAlgorithm.to_jwk(PAIR.public_key(), as_dict=True)
CURVE = ed25519.Ed25519PrivateKey.generate()
ED_KEY: dict[str, Any] = OKPAlgorithm.to_jwk(CURVE.public_key(), as_dict=True)


def elliptic(curve: ec.EllipticCurve) -> dict[str, Any]:
    public = ec.generate_private_key(curve).public_key()
    return dict(ECAlgorithm.to_jwk(public, as_dict=True))


def with_bits(bits: int) -> dict[str, Any]:
    """Make a key with so many bits; libraries no longer make small keys."""
    modulus = ((1 << bits) - 1).to_bytes((bits + 7) // 8)
    return RSA_KEY | {"n": urlsafe_b64encode(modulus).rstrip(b"=").decode()}


class PublicKeyTest(TestCase):
    def test_one_without_an_algorithm_is_good_for_each_of_its_type(self) -> None:
        for jwk, algorithms in (
            (RSA_KEY, set(RSA)),
            (RSA_KEY | {"alg": "PS384"}, {"PS384"}),
            (elliptic(ec.SECP256R1()), {"ES256"}),
            (elliptic(ec.SECP384R1()), {"ES384"}),
            (ED_KEY, {"EdDSA"}),
            (ED_KEY | {"use": "sig", "key_ops": ["sign", "verify"]}, {"EdDSA"}),
        ):
            with self.subTest(algorithms):
                without = {name: value for name, value in jwk.items() if name != "key_ops"}
                for each in (jwk, without):
                    self.assertEqual(public_key(each).algorithms, algorithms)

    @shows("V11.6.1")
    def test_what_is_no_good_for_checking_is_left_out(self) -> None:
        for name, jwk in {
            "private": RSAAlgorithm.to_jwk(PAIR, as_dict=True),
            "private, of a curve": OKPAlgorithm.to_jwk(CURVE, as_dict=True),
            "shared": {"kty": "oct", "k": "c2VjcmV0"},
            "shared, as RSA": RSA_KEY | {"k": "c2VjcmV0"},
            "512 bits": with_bits(512),
            "1024 bits": with_bits(1024),
            "2047 bits": with_bits(2047),
            "for encryption": RSA_KEY | {"use": "enc"},
            "for a use that is none": RSA_KEY | {"use": ["sig"]},
            "for signing only": RSA_KEY | {"key_ops": ["sign"]},
            "for nothing": RSA_KEY | {"key_ops": []},
            "for wrapping": RSA_KEY | {"use": "sig", "key_ops": ["wrapKey", "encrypt"]},
            "operations that are none": RSA_KEY | {"key_ops": 1},
            "of another algorithm": RSA_KEY | {"alg": "RSA-OAEP"},
            "of another type's algorithm": ED_KEY | {"alg": "RS256"},
            "of an algorithm that shares": RSA_KEY | {"alg": "HS256"},
            "of a curve that is not taken": elliptic(ec.SECP256K1()),
            "of no curve": elliptic(ec.SECP256R1()) | {"crv": None},
            "RSA with a curve": RSA_KEY | {"crv": "P-256"},
            "with a number for a name": RSA_KEY | {"kid": 1},
            "without a modulus": RSA_KEY | {"n": ""},
            "with half of it": {name: RSA_KEY[name] for name in ("kty", "e")},
            "of no type": {"kid": "x"},
            "of a type that is none": RSA_KEY | {"kty": ["RSA"]},
            "a text": "RSA",
            "nothing": None,
        }.items():
            with self.subTest(name):
                keys = orjson.dumps({"keys": [jwk, ED_KEY | {"kid": "good"}]})
                with self.assertLogs("chassis.tokens", "INFO") as logs:
                    self.assertEqual([key.key_id for key in read_key_set(keys)], ["good"])
                self.assertEqual(len(logs.output), 1)
                with self.assertLogs("chassis.tokens"), self.assertRaises(ValueError):
                    read_key_set(orjson.dumps({"keys": [jwk]}))

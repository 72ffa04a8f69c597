"""Tokens as real issuers write them are verified, with several keys."""

import re
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain
from typing import Any
from unittest import TestCase
from unittest.mock import patch

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from chassis.core.authentication import Principal
from chassis.core.errors import AuthenticationError, UnavailableError
from chassis.development.testing.security_table import shows
from chassis.project import current_project
from chassis.tokens import jwt_authenticator as module
from chassis.tokens.json_web_keys import RSA, PublicKey, public_key
from chassis.tokens.jwt_authenticator import JwtAuthenticator
from chassis.tokens.signing_keys import FixedKeys

ISSUER, AUDIENCE = "https://issuer.example.org", "tests"
RSA_PAIR = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CURVE = ec.generate_private_key(ec.SECP256R1())
EDWARDS = ed25519.Ed25519PrivateKey.generate()


def published(pair: Any, **more: Any) -> PublicKey:
    kinds = {rsa.RSAPrivateKey: RSAAlgorithm, ec.EllipticCurvePrivateKey: ECAlgorithm}
    kind = next((kinds[one] for one in kinds if isinstance(pair, one)), OKPAlgorithm)
    return public_key(kind.to_jwk(pair.public_key(), as_dict=True) | more)  # type: ignore[attr-defined]


class Keys(FixedKeys):
    """A key set that counts its reads, and can be unavailable."""

    asked = 0
    is_away = False

    def find(self, key_id: str | None, *, patient: bool) -> Sequence[PublicKey]:
        self.asked += 1
        if self.is_away:
            raise UnavailableError("The keys cannot be had.")
        return super().find(key_id, patient=patient)


class JwtTestCase(TestCase):
    def setUp(self) -> None:
        self.claims: dict[str, Any] = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "somebody",
            "exp": int(time.time()) + 60,
        }
        self.keys = Keys([published(EDWARDS, kid="key")])
        self.authenticator = self.build()

    def build(self, keys: FixedKeys | None = None, **options: Any) -> JwtAuthenticator:
        return JwtAuthenticator(keys or self.keys, issuer=ISSUER, audience=AUDIENCE, **options)

    def token(self, pair: Any = EDWARDS, algorithm: str = "EdDSA", **claims: Any) -> str:
        """Sign a token; a claim with the value `...` is left out."""
        told = {name: value for name, value in (self.claims | claims).items() if value is not ...}
        return jwt.encode(told, pair, algorithm, headers={"kid": "key"})

    def ask(self, token: str) -> Principal:
        return self.authenticator.authenticate(token, patient=True)

    def assert_refused(self, token: str, reason: str) -> None:
        with self.assertRaises(AuthenticationError) as raised:
            self.ask(token)
        self.assertEqual(raised.exception.reason, reason)
        self.assertEqual(str(raised.exception), "The token is not valid for this service.")


class KeysTest(JwtTestCase):
    def test_a_key_without_an_algorithm_checks_all_of_its_type(self) -> None:
        self.authenticator = self.build(FixedKeys([published(RSA_PAIR, kid="key")]))
        for algorithm in RSA:
            self.assertTrue(self.ask(self.token(RSA_PAIR, algorithm)))
        self.authenticator = self.build(FixedKeys([published(RSA_PAIR, kid="key", alg="PS256")]))
        self.assertTrue(self.ask(self.token(RSA_PAIR, "PS256")))
        for algorithm in ("RS256", "PS384"):
            self.assert_refused(self.token(RSA_PAIR, algorithm), "algorithm")

    def test_of_several_keys_with_one_name_each_may_have_signed(self) -> None:
        other = ed25519.Ed25519PrivateKey.generate()
        pairs = [other, RSA_PAIR, CURVE, EDWARDS]
        self.authenticator = self.build(FixedKeys([published(pair, kid="key") for pair in pairs]))
        for pair, algorithm in zip(pairs, ("EdDSA", "PS256", "ES256", "EdDSA"), strict=True):
            self.assertTrue(self.ask(self.token(pair, algorithm)))
        self.assert_refused(self.token(ed25519.Ed25519PrivateKey.generate()), "signature")
        self.assert_refused(
            self.token(ec.generate_private_key(ec.SECP384R1()), "ES384"), "algorithm"
        )


class ClaimsTest(JwtTestCase):
    def test_scopes_are_words_between_spaces_or_a_list_of_them(self) -> None:
        for claims, scopes in (
            ({"scope": "a b:write"}, {"a", "b:write"}),
            ({"scope": " a  b "}, {"a", "b"}),
            ({"scope": "a\u00a0b"}, {"a\u00a0b"}),
            ({"scope": "a\tb\nc\u2003d"}, {"a\tb\nc\u2003d"}),
            ({"scope": ["a", "b c"]}, {"a", "b c"}),
            ({"scope": "", "scp": "a b"}, {"a", "b"}),
            ({"scope": [], "scp": ["a"]}, {"a"}),
            ({"scope": " ", "scp": ["a", ""]}, {"a"}),
            ({"scope": "a", "scp": "b"}, {"a"}),
            ({"permissions": ["a"], "roles": ["b"]}, set()),
        ):
            with self.subTest(claims):
                self.assertEqual(self.ask(self.token(**claims)).scopes, scopes)

    @shows("V10.3.2")
    def test_what_is_neither_grants_nothing_and_is_refused(self) -> None:
        values: list[Any] = [{"notes:write": False}, {}, None, True, 1, ["a", 1], [["a"]], [None]]
        for value in values:
            with self.subTest(value):
                self.assert_refused(self.token(scope=value), "scopes")
                self.assert_refused(self.token(scp=value), "scopes")

    def test_issuers_with_claims_of_their_own(self) -> None:
        for claim, claims in (
            ("permissions", {"permissions": ["a", "b"], "scope": "openid"}),
            ("scp,roles", {"roles": ["a", "b"]}),
            ("realm_access.roles", {"realm_access": {"roles": ["a", "b"]}}),
            ("resource_access.api.roles", {"resource_access": {"api": {"roles": ["a", "b"]}}}),
            ("https://api.example.org/roles", {"https://api.example.org/roles": "a b"}),
        ):
            self.authenticator = self.build(scope_claims=claim.split(","))
            with self.subTest(claim):
                self.assertEqual(self.ask(self.token(**claims)).scopes, {"a", "b"})
                self.assertEqual(self.ask(self.token(scope="a b")).scopes, set())
        self.authenticator = self.build(scope_claims=["realm_access.roles"])
        values: list[Any] = [None, [], "roles", {"roles.a": 1}]
        for value in values:
            self.assertEqual(self.ask(self.token(realm_access=value)).scopes, set())
        self.assert_refused(self.token(realm_access={"roles": {"a": True}}), "scopes")

    @shows("V9.2.3")
    def test_another_claim_may_say_for_whom_it_is(self) -> None:
        self.authenticator = self.build(audience_claim="client_id")
        for good in (AUDIENCE, [AUDIENCE], ["other", AUDIENCE]):
            self.assertTrue(self.ask(self.token(aud=..., client_id=good)))
        self.assertTrue(self.ask(self.token(aud="ignored", client_id=AUDIENCE)))
        others: list[Any] = ["other", AUDIENCE + "x", [], {AUDIENCE: 1}, 1, ""]
        for value in others:
            with self.subTest(value):
                self.assert_refused(self.token(client_id=value), "audience")
        self.assert_refused(self.token(), "a claim is missing")

    @shows("V9.2.1")
    def test_times_are_numbers(self) -> None:
        later = str(self.claims["exp"])
        for name in ("exp", "nbf", "iat"):
            values: list[Any] = ["1" if name != "exp" else later, True, None, [1], {}, ""]
            for value in values:
                with self.subTest(name=name, value=value):
                    self.assertRaises(AuthenticationError, self.ask, self.token(**{name: value}))
        self.assertTrue(self.ask(self.token(exp=self.claims["exp"] + 0.5, nbf=0, iat=1.5)))

    @shows("V1.3.3")
    def test_a_subject_is_text_that_can_be_stored(self) -> None:
        values: list[Any] = ["\ud800", "a\udfff", "a\0", "\n", "a\x7f", "", 1, None, ["a"], {}]
        for value in values:
            with self.subTest(value):
                self.assertRaises(AuthenticationError, self.ask, self.token(sub=value))
        for value in ("auth0|507f1f77", "ümlaut", "\U0001f600", "a b", "x" * 255):
            self.assertEqual(self.ask(self.token(sub=value)).subject, value)

    def test_each_refusal_has_its_reason(self) -> None:
        now = int(time.time())
        head, body, _ = self.token().split(".")
        other = jwt.encode(self.claims, EDWARDS, "EdDSA", headers={"kid": "other"})
        kind = jwt.encode(self.claims, EDWARDS, "EdDSA", headers={"kid": "key", "typ": "id+jwt"})
        for reason, token in {
            "expired": self.token(exp=now - 60),
            "not yet valid": self.token(nbf=now + 60),
            "audience": self.token(aud="other"),
            "issuer": self.token(iss="https://other.example.org"),
            "a claim is missing": self.token(aud=...),
            "unknown key": other,
            "type": kind,
            "signature": self.token(ed25519.Ed25519PrivateKey.generate()),
            "algorithm": jwt.encode(self.claims, "s" * 64, "HS256", headers={"kid": "key"}),
            "too long": self.token(padding="x" * module.LONGEST),
            "a wrong type of time": self.token(exp=str(now + 60)),
            "subject": self.token(sub="\0"),
            "malformed": f"{head}.{body}",
        }.items():
            with self.subTest(reason):
                self.assert_refused(token, reason)

    @shows("V16.5.3")
    def test_whatever_the_library_raises_is_a_refusal(self) -> None:
        for kind in (AttributeError, KeyError, MemoryError, RecursionError, RuntimeError, OSError):
            with patch("jwt.decode", side_effect=kind("of the library")):
                self.assert_refused(self.token(), "malformed")
        for token in ("\ud800", "\udcff.\udcff.\udcff", "\xff", "é.è.ê", "\0", "." * 5000):
            self.assertRaises(AuthenticationError, self.ask, token)


class MemoryTest(JwtTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.decoded = self.enterContext(patch("jwt.decode", wraps=jwt.decode))
        self.now = 1_800_000_000
        self.claims["exp"] = self.now + 60
        test = self

        class Clock(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> Any:
                return datetime.fromtimestamp(test.now, tz)

        self.enterContext(patch("jwt.api_jwt.datetime", Clock))
        self.enterContext(patch("time.time", side_effect=lambda: self.now))

    def test_a_token_is_verified_once(self) -> None:
        first, second = self.token(scope="a"), self.token(scope="b")
        for _ in range(3):
            self.assertEqual(self.ask(first).scopes, {"a"})
            self.assertEqual(self.ask(second).scopes, {"b"})
        self.assertEqual((self.decoded.call_count, self.keys.asked), (2, 6))

    @shows("V9.2.1")
    def test_its_time_is_looked_at_each_time(self) -> None:
        token = self.token(nbf=self.now - 5)
        self.assertTrue(self.ask(token))
        self.now += 69
        self.assertTrue(self.ask(token))
        self.now += 1  # The token's 60 seconds and the leeway.
        self.assert_refused(token, "expired")
        self.now -= 86  # The clock was set back.
        self.assert_refused(token, "not yet valid")

    @shows("V9.1.3")
    def test_a_key_that_is_gone_or_was_read_anew_is_asked_for_again(self) -> None:
        token = self.token()
        self.assertTrue(self.ask(token))
        for keys, calls in (
            # The same key, read anew: the token is verified again.
            ([published(EDWARDS, kid="key")], 2),
            ([published(CURVE, kid="other"), published(EDWARDS, kid="key")], 3),
        ):
            self.keys._keys = keys
            self.assertTrue(self.ask(token) and self.ask(token))
            self.assertEqual(self.decoded.call_count, calls)
        self.keys._keys = [published(ed25519.Ed25519PrivateKey.generate(), kid="key")]
        self.assert_refused(token, "signature")
        self.keys._keys = [published(EDWARDS, kid="other"), published(CURVE)]
        self.assert_refused(token, "unknown key")
        self.keys.is_away = True
        self.assertRaises(UnavailableError, self.ask, token)

    def test_what_is_refused_is_not_remembered(self) -> None:
        for token in (self.token(aud="other"), self.token(sub=""), "x", self.token(scope=1)):
            for _ in range(2):
                self.assertRaises(AuthenticationError, self.ask, token)
        self.assertEqual(self.authenticator._remembered, {})

    def test_no_token_is_kept_and_not_many_are_remembered(self) -> None:
        self.enterContext(patch.object(module, "MOST_REMEMBERED", 3))
        tokens = [self.token(sub=f"number {number}") for number in range(5)]
        for token in tokens:
            self.ask(token)
        self.assertEqual(len(self.authenticator._remembered), 3)
        self.assertNotIn(tokens[-1][:40], repr(self.authenticator._remembered))
        self.ask(tokens[-1])
        self.assertEqual(self.decoded.call_count, 5)
        self.ask(tokens[0])
        self.assertEqual(self.decoded.call_count, 6)

    def test_one_that_replaces_it_is_asked_each_time(self) -> None:
        class Revoking(JwtAuthenticator):
            revoked = False

            def authenticate(self, token: str, *, patient: bool) -> Principal:
                if self.revoked:
                    raise AuthenticationError("It was revoked.", reason="revoked")
                return super().authenticate(token, patient=patient)

        self.authenticator = Revoking(self.keys, issuer=ISSUER, audience=AUDIENCE)
        token = self.token()
        self.assertTrue(self.ask(token))
        Revoking.revoked = True
        self.assertRaises(AuthenticationError, self.ask, token)

    def test_the_one_of_the_guide_gives_scopes_for_roles(self) -> None:
        guide = (current_project().root / "docs" / "access.md").read_text("utf-8")
        [code] = re.findall(r"```python\n(class RoleAuthenticator.*?)```", guide, re.DOTALL)
        names: dict[str, Any] = {
            **globals(),
            "replace": replace,
            "chain": chain,
            "SCOPES": {"writer": ["notes:read", "notes:write"], "reader": ["notes:read"]},
        }
        exec(code, names)
        self.authenticator = names["RoleAuthenticator"](
            self.keys, issuer=ISSUER, audience=AUDIENCE, scope_claims=["roles"]
        )
        for roles, scopes in (
            (["writer"], {"notes:read", "notes:write"}),
            (["reader", "other"], {"notes:read"}),
            (["notes:write"], set()),
        ):
            for _ in range(2):
                self.assertEqual(self.ask(self.token(roles=roles)).scopes, scopes)

"""Authentication and scopes, as the operations declare them."""

import base64
import json
import time
from typing import Any
from unittest import TestCase
from unittest.mock import patch

import jwt
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from flask import Flask

from chassis.core.errors import AuthenticationError
from chassis.development.testing.bearer import bearer
from chassis.development.testing.http_cases import HttpTestCase
from chassis.development.testing.security_table import shows
from chassis.http.access.policies import (
    UndeclaredAccessError,
    public,
    require_policies,
    requires,
    requires_any,
    scopes_of,
)
from chassis.settings import PRODUCTION
from chassis.tokens.development_tokens import ISSUER, KEY_ID, _private_key
from src.api.requests import scopes
from support.configuration import CONFIG

STRANGER, NOT_ALLOWED = 401, 403
HARMLESS = {"GET", "HEAD"}
WINDOWS = "/ops/maintenance/windows"


def encoded(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


class DeclarationTest(TestCase):
    def application(self) -> Flask:
        app = Flask("tests", static_folder=None)
        app.add_url_rule("/open", "open", public(lambda: ""))
        app.add_url_rule("/closed", "closed", requires("a:write", "b:write")(lambda: ""))
        return app

    @shows("API5:2023", "API8:2023", "V13.4.5")
    def test_an_operation_that_says_nothing_stops_the_application_and_is_named(self) -> None:
        app = self.application()
        require_policies(app)
        app.add_url_rule("/silent", "silent", lambda: "", methods=["DELETE"])
        with self.assertRaisesRegex(UndeclaredAccessError, r"DELETE /silent \(silent\)"):
            require_policies(app)

    def test_each_scope_that_is_needed_is_known(self) -> None:
        self.assertEqual(scopes_of(self.application()), ["a:write", "b:write"])


class AnyOfTest(HttpTestCase):
    def test_one_scope_of_several_is_enough_and_is_in_force(self) -> None:
        app = self.client.application
        view = requires_any("a:write", "b:write")(lambda: " ".join(sorted(scopes())))
        app.add_url_rule("/either", "either", view)
        for granted in (("a:write",), ("b:write", "c:read")):
            headers = {"Authorization": bearer(app, *granted)}
            self.assertEqual(self.client.get("/either", headers=headers).text, " ".join(granted))
        headers = {"Authorization": bearer(app, "c:read")}
        problem = self.assert_problem(self.client.get("/either", headers=headers), 403, "forbidden")
        self.assertEqual(problem["detail"], "The token lacks the scopes a:write or b:write.")


class RefusalTest(HttpTestCase):
    def test_a_refusal_says_what_would_do(self) -> None:
        app = self.client.application
        for authorization, status, challenge in (
            ("", STRANGER, "Bearer"),
            ("Bearer x", STRANGER, 'Bearer error="invalid_token"'),
            (
                bearer(app, "other:read"),
                NOT_ALLOWED,
                'Bearer error="insufficient_scope", scope="maintenance:write"',
            ),
        ):
            headers = {"Authorization": authorization} if authorization else {}
            client = app.test_client()
            answer = client.post(WINDOWS, json={}, headers=headers)
            self.assert_problem(
                answer, status, "unauthorized" if status == STRANGER else "forbidden"
            )
            self.assertEqual(answer.headers["WWW-Authenticate"], challenge)

    def test_a_bad_token_does_not_close_what_is_public(self) -> None:
        answer = self.client.get("/health/live", headers={"Authorization": "Bearer x"})
        self.assertEqual(answer.status_code, 200)


class TokenTest(HttpTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.key = _private_key(CONFIG.secret_key)
        self.now = int(time.time())
        self.good: dict[str, Any] = {
            "iss": ISSUER,
            "aud": CONFIG.name,
            "sub": "somebody",
            "exp": self.now + 60,
            "scope": "maintenance:write",
        }

    def signed(self, claims: object = None, **header: Any) -> str:
        """Sign any claims, also those that a library refuses to sign."""
        parts = {"alg": "EdDSA", "typ": "JWT", "kid": KEY_ID} | header
        body = f"{encoded(parts)}.{encoded(self.good if claims is None else claims)}"
        signature = base64.urlsafe_b64encode(self.key.sign(body.encode())).rstrip(b"=").decode()
        return f"{body}.{signature}"

    def changed(self, **claims: Any) -> str:
        return self.signed({**self.good, **claims})

    def without(self, name: str) -> str:
        return self.signed({key: value for key, value in self.good.items() if key != name})

    def status(self, authorization: str) -> int:
        answer = self.client.post(WINDOWS, json={}, headers={"Authorization": authorization})
        if answer.status_code == STRANGER:
            self.assert_problem(answer, STRANGER, "unauthorized")
            self.assertIn("Bearer", answer.headers["WWW-Authenticate"])
        return answer.status_code

    def bad_tokens(self) -> dict[str, str]:
        good = self.signed()
        head, body, signature = good.split(".")
        other = ed25519.Ed25519PrivateKey.generate()
        theirs = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public_bytes = self.key.public_key().public_bytes_raw()
        kid = {"kid": KEY_ID}
        return {
            "empty": "",
            "no dots": "x",
            "two parts": f"{head}.{body}",
            "four parts": f"{good}.x",
            "only dots": "..",
            "not base64": "?.?.?",
            "not JSON": f"{encoded('no')}.{encoded('no')}.{signature}",
            "a header that is a list": f"{encoded([])}.{body}.{signature}",
            "claims that are a list": self.signed([]),
            "claims that are a number": self.signed(1),
            "deep claims": self.signed(f"{'[' * 1500}{']' * 1500}"),
            "very long": self.changed(padding="x" * 10_000),
            "changed claims": f"{head}.{encoded(self.good | {'sub': 'root'})}.{signature}",
            "no signature": f"{head}.{body}.",
            "another's signature": jwt.encode(self.good, other, "EdDSA", headers=kid),
            "another's RSA signature": jwt.encode(self.good, theirs, "RS256", headers=kid),
            "alg none": f"{encoded({'alg': 'none', **kid})}.{body}.",
            "alg None": f"{encoded({'alg': 'None', **kid})}.{body}.",
            "alg HS256 with the public key": jwt.encode(
                self.good, public_bytes, "HS256", headers=kid
            ),
            "alg unknown": self.signed(alg="XX999"),
            "alg a list": self.signed(alg=["EdDSA"]),
            "no alg": self.signed(alg=None),
            "an unknown critical header": self.signed(crit=["exp"]),
            "unknown key": self.signed(kid="other"),
            "key id a number": self.signed(kid=1),
            "an identity token's type": self.signed(typ="id+jwt"),
            "type a list": self.signed(typ=["JWT"]),
            "key id a list": self.signed(kid=[KEY_ID]),
            "key id hostile": self.signed(kid="../../etc/passwd\0"),
            "its own key": self.signed(kid="x", jwk={"kty": "OKP"}, jku="http://127.0.0.1/keys"),
            "expired": self.changed(exp=self.now - 60),
            "expires at no number": self.changed(exp="soon"),
            "expires at infinity": self.changed(exp=float("inf")),
            "expires at no number at all": self.changed(exp=float("nan")),
            "expires at a text": self.changed(exp=str(self.now + 60)),
            "expires at a truth": self.changed(exp=True),
            "a half of a surrogate pair for a subject": self.changed(sub="\ud800"),
            "a subject with a NUL": self.changed(sub="a\0"),
            "scopes an object": self.changed(scope={"maintenance:write": False}),
            "expires in a list": self.changed(exp=[self.now + 60]),
            "not yet": self.changed(nbf=self.now + 60),
            "issued tomorrow": self.changed(iat=self.now + 86_400),
            "no end": self.without("exp"),
            "no issuer": self.without("iss"),
            "no audience": self.without("aud"),
            "no subject": self.without("sub"),
            "another issuer": self.changed(iss="https://elsewhere.example.org"),
            "issuer a list": self.changed(iss=[ISSUER]),
            "another audience": self.changed(aud="other"),
            "other audiences": self.changed(aud=["other", "others"]),
            "audience a number": self.changed(aud=1),
            "subject a number": self.changed(sub=1),
            "subject empty": self.changed(sub=""),
            "scope a number": self.changed(scope=1),
            "scopes that are no words": self.changed(scope=[1]),
            "scope null": self.changed(scope=None),
        }

    def test_a_good_token_is_taken(self) -> None:
        for token in (
            self.signed(),
            self.changed(aud=[CONFIG.name, "other"]),
            jwt.encode(self.good, self.key, "EdDSA", headers={"kid": KEY_ID}),
            self.signed({**self.good, "scope": "a b maintenance:write"}),
            self.signed({**self.without_scope(), "scp": ["maintenance:write"]}),
        ):
            self.assertEqual(self.status(f"Bearer {token}"), 422)  # The body, then, is not.

    def without_scope(self) -> dict[str, Any]:
        return {key: value for key, value in self.good.items() if key != "scope"}

    @shows("API2:2023", "V9.1.1", "V9.1.2", "V9.1.3", "V9.2.1", "V9.2.3", "V10.3.1", "V10.3.3")
    @shows("V9.2.2")
    def test_every_bad_token_is_refused(self) -> None:
        for name, token in self.bad_tokens().items():
            with self.subTest(name):
                self.assertEqual(self.status(f"Bearer {token}"), STRANGER)

    @shows("API2:2023")
    def test_only_the_form_of_the_standard_is_taken(self) -> None:
        token = self.signed()
        for value in (
            token,
            f"Basic {token}",
            f"Bearer{token}",
            f"Bearer {token} x",
            "Bearer \xff",
        ):
            with self.subTest(value[:10]):
                self.assertEqual(self.status(value), STRANGER)

    @shows("V9.1.2", "V16.5.3")
    def test_whatever_is_raised_by_the_step_that_finds_out_who_asks(self) -> None:
        """Any outcome of authentication gets its status, and public operations are served."""
        authenticator = self.client.application.extensions["container"].authenticator()
        encoding = UnicodeEncodeError("utf-8", "", 0, 1, "")
        for error in (AttributeError(), KeyError("d"), OSError(), RecursionError(), encoding):
            with (
                self.subTest(error),
                patch.object(type(authenticator), "authenticate", side_effect=error),
                self.assertLogs("chassis.http.access.policies", "ERROR"),
            ):
                headers = {"Authorization": "Bearer x"}
                self.assertEqual(self.client.get("/health/live", headers=headers).status_code, 200)
                answer = self.client.post(WINDOWS, json={}, headers=headers)
                self.assert_problem(answer, 503, "unavailable")

    @shows("API4:2023")
    def test_only_who_needs_a_scope_may_be_kept_waiting(self) -> None:
        authenticator = self.client.application.extensions["container"].authenticator()
        with patch.object(type(authenticator), "authenticate") as asked:
            asked.side_effect = AuthenticationError("No.")
            for method, path, patient in (
                ("GET", "/health/live", False),
                ("GET", "/openapi.json", False),
                ("GET", "/nothing", False),
                ("OPTIONS", WINDOWS, False),
                ("POST", WINDOWS, True),
                ("DELETE", f"{WINDOWS}/1", True),
            ):
                with self.subTest(path):
                    self.client.open(path, method=method, headers={"Authorization": "Bearer x"})
                    self.assertEqual(asked.call_args.kwargs, {"patient": patient})

    def test_without_the_keys_nobody_is_refused_for_good(self) -> None:
        with self.assertLogs("chassis.tokens.signing_keys", "WARNING"):
            self.client = self.start(
                jwt_jwks_url="http://127.0.0.1:1/keys", jwt_issuer=ISSUER, jwt_audience=CONFIG.name
            )
            keys: Any = self.client.application.extensions["container"].authenticator()._keys
            keys._reader.join(10)
        headers = {"Authorization": f"Bearer {self.signed()}"}
        answer = self.client.post(WINDOWS, json={}, headers=headers)
        self.assert_problem(answer, 503, "unavailable")
        self.assertIn("Retry-After", answer.headers)
        self.assertEqual(self.client.get("/health/live", headers=headers).status_code, 200)

    def test_without_the_issuer_s_keys_its_name_changes_nothing(self) -> None:
        self.client = self.start(jwt_issuer="https://issuer.example.org", jwt_audience="other")
        self.assertEqual(self.status(f"Bearer {self.signed()}"), 422)  # The body, then, is not.

    @shows("API2:2023", "V13.2.3")
    def test_in_production_a_token_of_the_command_line_is_none(self) -> None:
        self.client = self.start(environment=PRODUCTION)
        self.assertEqual(self.status(f"Bearer {self.signed()}"), STRANGER)

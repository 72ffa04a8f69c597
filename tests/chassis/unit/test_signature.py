from unittest import TestCase

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from chassis.core.signing import Signer, derived_key
from chassis.development.testing.security_table import shows


class SignerTest(TestCase):
    def setUp(self) -> None:
        self.signer = Signer("secret", "purpose")

    def test_what_was_signed_is_taken_back(self) -> None:
        for told in ("told", "", "with.dots", "ümlaut", "\ud800"):
            self.assertEqual(self.signer.verified(self.signer.sign(told)), told)

    def test_what_was_changed_is_not(self) -> None:
        signed = self.signer.sign("told")
        for changed in ("", "told", "told.", signed[:-1], f"{signed}0", f"x{signed}", "\udc00.x"):
            self.assertIsNone(self.signer.verified(changed))

    def test_neither_is_what_has_another_secret_or_purpose(self) -> None:
        for other in (Signer("other", "purpose"), Signer("secret", "other")):
            self.assertIsNone(self.signer.verified(other.sign("told")))


class DerivedKeyTest(TestCase):
    @shows("V11.4.1")
    def test_it_is_that_of_the_rfc(self) -> None:
        """The derived key equals that of RFC 5869, appendix A.3, and of the library."""
        key = derived_key("\x0b" * 22, "")
        self.assertEqual(key.hex()[:32], "8da4e775a563c18f715f802a063c5a31")
        for secret, purpose in (("", ""), ("ümlaut", "a"), ("x" * 400, "page cursors")):
            library = HKDF(SHA256(), 32, salt=None, info=purpose.encode())
            self.assertEqual(derived_key(secret, purpose), library.derive(secret.encode()))

    def test_each_purpose_has_its_own(self) -> None:
        purposes = ("cursor", "maintenance bypass", "development tokens", "")
        self.assertEqual(len({derived_key("secret", purpose) for purpose in purposes}), 4)

from unittest import TestCase

from chassis.core.signing import Signer


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

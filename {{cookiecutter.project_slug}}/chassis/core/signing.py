import hmac


def derived_key(secret: str, purpose: str) -> bytes:
    """A key of 32 bytes for one purpose: HKDF with SHA-256 and no salt (RFC 5869)."""
    pseudorandom = hmac.digest(bytes(32), secret.encode(), "sha256")
    return hmac.digest(pseudorandom, purpose.encode() + b"\x01", "sha256")


class Signer:
    """Signs what is handed out, so that only that is taken back: HMAC with SHA-256 (RFC 2104)."""

    def __init__(self, secret: str, purpose: str) -> None:
        """What was signed for one purpose is worth nothing for another."""
        self._key = derived_key(secret, purpose)

    def sign(self, told: str) -> str:
        """Return it with its signature behind a dot."""
        return f"{told}.{hmac.digest(self._key, _bytes(told), 'sha256').hex()}"

    def verified(self, signed: str) -> str | None:
        """What was signed; None if it was not, or not so."""
        told = signed.rpartition(".")[0]
        return told if hmac.compare_digest(_bytes(self.sign(told)), _bytes(signed)) else None


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")

import hmac


def derived_key(secret: str, purpose: str) -> bytes:
    """A key of 32 bytes for one purpose: HKDF with SHA-256 and no salt (RFC 5869)."""
    pseudorandom = hmac.digest(bytes(32), secret.encode(), "sha256")
    return hmac.digest(pseudorandom, purpose.encode() + b"\x01", "sha256")


class Signer:
    """Signs texts that clients bring back, with HMAC and SHA-256 (RFC 2104)."""

    def __init__(self, secret: str, purpose: str) -> None:
        """A signature for one purpose is not valid for another."""
        self._key = derived_key(secret, purpose)

    def sign(self, told: str) -> str:
        """The text with a dot and its signature."""
        return f"{told}.{hmac.digest(self._key, _bytes(told), 'sha256').hex()}"

    def verified(self, signed: str) -> str | None:
        """The text without its signature; None if the signature is missing or wrong."""
        told = signed.rpartition(".")[0]
        return told if hmac.compare_digest(_bytes(self.sign(told)), _bytes(signed)) else None


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")

import hmac


def derived_key(secret: str, purpose: str) -> bytes:
    """A key of 32 bytes for one purpose: HKDF with SHA-256 and no salt (RFC 5869)."""
    pseudorandom = hmac.digest(bytes(32), secret.encode(), "sha256")
    return hmac.digest(pseudorandom, purpose.encode() + b"\x01", "sha256")


class Signer:
    """Signs texts that clients bring back, with HMAC and SHA-256 (RFC 2104)."""

    def __init__(self, secret: str, purpose: str) -> None:
        """A signature for one purpose is not valid for another."""
        self._keyed = hmac.new(derived_key(secret, purpose), digestmod="sha256")

    def sign(self, text: str) -> str:
        """The text with a dot and its signature."""
        signature = self._keyed.copy()  # hmac.digest would let all other threads run first.
        signature.update(_bytes(text))
        return f"{text}.{signature.hexdigest()}"

    def verified(self, signed: str) -> str | None:
        """The text without its signature; None if the signature is missing or wrong."""
        text = signed.rpartition(".")[0]
        return text if hmac.compare_digest(_bytes(self.sign(text)), _bytes(signed)) else None


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")

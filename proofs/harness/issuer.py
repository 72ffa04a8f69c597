"""An issuer of tokens for proofs; the service reads its public keys from a file."""

import os
import subprocess
from pathlib import Path

NAME, AUDIENCE = "https://issuer.example.org", "proofs"
TOKEN = "SERVICE_TOKEN"  # Clients read their token from this variable.
SCOPE = "todos:write"
# Runs in the project's environment, which has PyJWT.
ISSUE = """
import json, sys, time
from pathlib import Path
import jwt
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

folder, issuer, audience, *scopes = sys.argv[1:]
key, keys = Path(folder, "issuer.pem"), Path(folder, "keys.json")
if not key.exists():
    made = ec.generate_private_key(ec.SECP256R1())
    text = (form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    key.write_bytes(made.private_bytes(*text))
    public = ECAlgorithm.to_jwk(made.public_key(), as_dict=True)
    keys.write_text(json.dumps({"keys": [{**public, "kid": "proof", "alg": "ES256"}]}))
claims = {"iss": issuer, "aud": audience, "sub": "proof", "scope": " ".join(scopes)}
claims["exp"] = int(time.time()) + 86_400
print(jwt.encode(claims, key.read_bytes(), "ES256", headers={"kid": "proof"}))
"""


class Issuer:
    def __init__(self, python: Path, folder: Path) -> None:
        self._python = python
        self._folder = folder
        os.environ[TOKEN] = self.token(SCOPE)

    def settings(self) -> dict[str, str]:
        """Return the settings with which a service accepts this issuer's tokens."""
        return {
            "JWT_JWKS_URL": (self._folder / "keys.json").as_uri(),
            "JWT_ISSUER": NAME,
            "JWT_AUDIENCE": AUDIENCE,
        }

    def token(self, *scopes: str) -> str:
        command = [str(self._python), "-c", ISSUE, str(self._folder), NAME, AUDIENCE, *scopes]
        made = subprocess.run(command, capture_output=True, text=True, check=True)
        return made.stdout.strip()


def authorization() -> dict[str, str]:
    """Return the header of a client that may change todos."""
    return {"Authorization": f"Bearer {os.environ[TOKEN]}"}

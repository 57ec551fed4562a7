"""Signing and checking tokens: RS256 with the foundation's key."""

from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from cfroute.errors import ConfigurationError

KEY_ID = "k1"


class SigningKey:
    """The RSA key that all tokens of this UAA are signed with."""

    def __init__(self, pem: bytes) -> None:
        # Our own file: looking for flaws in the key would take 60 ms of each start.
        private = load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True)
        if not isinstance(private, RSAPrivateKey):
            raise ValueError("not an RSA key")
        self._key = RSAKey.import_key(private)
        public = self._key.as_dict(private=False)
        self.public: dict[str, str] = {
            "kty": "RSA",
            "alg": "RS256",
            "use": "sig",
            "kid": KEY_ID,
            "value": self._key.as_pem(private=False).decode(),
            "n": str(public["n"]),
            "e": str(public["e"]),
        }

    @classmethod
    def load(cls, path: str) -> "SigningKey":
        """Read a PEM file. Raises ConfigurationError when it holds no RSA private key."""
        try:
            return cls(Path(path).read_bytes())
        except OSError as error:
            raise ConfigurationError(f"signing_key {path}: {error.strerror}") from error
        except (JoseError, ValueError) as error:
            raise ConfigurationError(f"signing_key {path}: {error}") from error

    def sign(self, claims: dict[str, Any]) -> str:
        """The token that says `claims`."""
        return jwt.encode({"alg": "RS256", "kid": KEY_ID, "typ": "JWT"}, claims, self._key, algorithms=["RS256"])

    def claims(self, token: str) -> dict[str, Any] | None:
        """What a token of ours says, expired or not; None when it is none of ours."""
        try:
            return dict(jwt.decode(token, self._key, algorithms=["RS256"]).claims)
        except (JoseError, ValueError):
            return None

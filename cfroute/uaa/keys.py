"""Signing and checking tokens with the foundation's key."""

from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cfroute import jwt


class SigningKey:
    """The RSA key that all tokens of this UAA are signed with. `public` is how `/token_key` shows it."""

    def __init__(self, key: RSAPrivateKey) -> None:
        self._private = key
        self._public = key.public_key()
        pem = self._public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        self.public: dict[str, str] = {**jwt.to_jwk(self._public), "value": pem.decode()}

    @classmethod
    def load(cls, path: str) -> "SigningKey":
        """Read a PEM file. Raises ConfigurationError when it holds no RSA private key."""
        return cls(jwt.private_key(path))

    def sign(self, claims: dict[str, Any]) -> str:
        """The token that says `claims`."""
        return jwt.sign(claims, self._private)

    def claims(self, token: str) -> dict[str, Any] | None:
        """What a token of ours says, expired or not; None when it is none of ours."""
        return jwt.verified(token, {jwt.KEY_ID: self._public})

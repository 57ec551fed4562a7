"""Signing and checking tokens: one key signs, those that have signed before still verify."""

from pathlib import Path
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cfroute import jwt
from cfroute.errors import ConfigurationError
from cfroute.uaa.config import Config


class _Ring(NamedTuple):
    key_id: str
    private: RSAPrivateKey
    verifying: dict[str, RSAPublicKey]


class Keys:
    """The RSA keys of this UAA by their names. They may be replaced while others use them."""

    def __init__(self, config: Config) -> None:
        """Raises ConfigurationError when a file holds no RSA key."""
        self.rotate(config)

    def rotate(self, config: Config) -> None:
        """Use the keys that the configuration names now. Raises ConfigurationError, and then goes on with the old ones."""
        private = jwt.private_key(config.signing_key)
        others = {name: _public(path) for name, path in config.verification_keys.items()}
        self._ring = _Ring(config.signing_key_id, private, {config.signing_key_id: private.public_key(), **others})

    @property
    def public(self) -> list[dict[str, str]]:
        """How `/token_keys` shows them; the one that signs comes first."""
        return [_shown(key, name) for name, key in self._ring.verifying.items()]

    def sign(self, claims: dict[str, Any]) -> str:
        """The token that says `claims`."""
        ring = self._ring
        return jwt.sign(claims, ring.private, ring.key_id)

    def claims(self, token: str) -> dict[str, Any] | None:
        """What a token of ours says, expired or not; None when it is none of ours."""
        return jwt.verified(token, self._ring.verifying)


def _public(path: str) -> RSAPublicKey:
    try:
        private = b"PRIVATE KEY" in Path(path).read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from error
    return jwt.private_key(path).public_key() if private else jwt.public_key(path)


def _shown(key: RSAPublicKey, name: str) -> dict[str, str]:
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return {**jwt.to_jwk(key, name), "value": pem.decode()}

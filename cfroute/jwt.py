"""Tokens: JSON web tokens that are signed with RS256, the only kind that the UAA makes and anybody here accepts.

A token names its algorithm and its key itself, and believing it is how tokens have been forged (`none`, or HS256 with the public
key as the secret). So nothing is negotiated: what does not say RS256 is no token. (A library for all the algorithms and formats
of JOSE costs every command and every start 60 ms.)
"""

import string
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from cfroute.errors import ConfigurationError
from cfroute.unreadable import UNREADABLE

ALGORITHM = "RS256"
KEY_ID = "k1"
"""The name of a key that has been given no other."""

_BASE64URL = (string.ascii_letters + string.digits + "-_").encode()


class _Header(msgspec.Struct):
    alg: str
    kid: str = KEY_ID


def sign(claims: Mapping[str, Any], key: RSAPrivateKey, key_id: str = KEY_ID) -> str:
    """The token that says `claims`, and that the key of that name has signed it."""
    signed = b".".join(_encode(msgspec.json.encode(part)) for part in ({"alg": ALGORITHM, "kid": key_id, "typ": "JWT"}, claims))
    return b".".join((signed, _encode(key.sign(signed, PKCS1v15(), SHA256())))).decode()


def verified(token: str, keys: Mapping[str, RSAPublicKey]) -> dict[str, Any] | None:
    """What a token says that was signed with one of the keys (by id), expired or not; None for every other text."""
    try:
        signed, _, signature = token.encode().rpartition(b".")
        header = msgspec.json.decode(_decode(signed.partition(b".")[0]), type=_Header)
        if header.alg != ALGORITHM or header.kid not in keys:
            return None
        keys[header.kid].verify(_decode(signature), signed, PKCS1v15(), SHA256())
        return msgspec.json.decode(_decode(signed.partition(b".")[2]), type=dict[str, Any])
    except (InvalidSignature, ValueError, *UNREADABLE):
        return None


def private_key(path: str | Path) -> RSAPrivateKey:
    """Read a PEM file of ours. Raises ConfigurationError when it holds no RSA private key."""
    # We have made it: looking for flaws in the key would take 60 ms of each start.
    key = _read(path, lambda pem: load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True))
    if not isinstance(key, RSAPrivateKey):
        raise ConfigurationError(f"{path}: not an RSA private key")
    return key


def public_key(path: str | Path) -> RSAPublicKey:
    """Read a PEM file. Raises ConfigurationError when it holds no RSA public key."""
    key = _read(path, load_pem_public_key)
    if not isinstance(key, RSAPublicKey):
        raise ConfigurationError(f"{path}: not an RSA public key")
    return key


def _read(path: str | Path, parse: Callable[[bytes], object]) -> object:
    try:
        return parse(Path(path).read_bytes())
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from error
    except (ValueError, TypeError) as error:
        raise ConfigurationError(f"{path}: {error}") from error


def from_jwk(jwk: Mapping[str, Any]) -> RSAPublicKey:
    """The key that a JSON web key describes. Raises ValueError, KeyError or TypeError when it describes none."""
    if jwk["kty"] != "RSA":
        raise ValueError(f"not an RSA key: {jwk['kty']}")
    exponent, modulus = (int.from_bytes(_decode(jwk[name].encode())) for name in ("e", "n"))
    return RSAPublicNumbers(exponent, modulus).public_key()


def to_jwk(key: RSAPublicKey, key_id: str = KEY_ID) -> dict[str, str]:
    """The JSON web key that describes `key`."""
    numbers = key.public_numbers()
    return {"kty": "RSA", "alg": ALGORITHM, "use": "sig", "kid": key_id, "e": _number(numbers.e), "n": _number(numbers.n)}


def _number(value: int) -> str:
    return _encode(value.to_bytes((value.bit_length() + 7) // 8)).decode()


def _encode(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")


def _decode(text: bytes) -> bytes:
    """Raises ValueError for what is not base64url without padding (RFC 7515)."""
    if text.translate(None, _BASE64URL):
        raise ValueError("not base64url")
    return urlsafe_b64decode(text + b"=" * (-len(text) % 4))

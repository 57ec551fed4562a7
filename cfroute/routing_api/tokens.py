"""Whether a token lets somebody do something: its form, who signed and issued it, when, and for what. Texts are upstream's.

Signatures are RSA's with SHA-2, and nothing that a token says of itself can change that.
"""

import string
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate

from cfroute.unreadable import UNREADABLE

_HASHES: Final[Mapping[str, type[HashAlgorithm]]] = {"RS256": SHA256, "RS384": SHA384, "RS512": SHA512}
_BASE64URL: Final = (string.ascii_letters + string.digits + "-_").encode()
_CERTIFICATE: Final = b"-----BEGIN CERTIFICATE-----"
_NOT_ALLOWED: Final = "You are not authorized to perform the requested action"


class TokenError(Exception):
    """The token is not good enough; the message says why."""


class WrongSignature(TokenError):
    """Another key has signed it, or nobody has; the UAA may have a new one."""


def bearer(authorization: str | None) -> str:
    """The token of an Authorization header. Raises TokenError."""
    parts = (authorization or "").split(" ")
    if len(parts) != 2:
        raise TokenError("Invalid token format")
    if parts[0].lower() != "bearer":
        raise TokenError(f"Invalid token type: {parts[0]}")
    return parts[1]


def verify(token: str, key: RSAPublicKey, issuer: str, now: float) -> Mapping[str, Any]:
    """The claims of a token that is good `now` (seconds of the epoch). Raises TokenError."""
    parts = token.split(".")
    if len(parts) != 3:
        raise TokenError("token contains an invalid number of segments")
    header, claims = (_object(part) for part in parts[:2])
    _check_signature(header, parts, key)
    if _time(claims, "exp", now) < now:
        raise TokenError("Token is expired")
    if _time(claims, "nbf", now) > now:
        raise TokenError("Token is not valid yet")
    if claims.get("iss") != issuer:
        raise TokenError("invalid issuer")
    return claims


def permit(claims: Mapping[str, Any], scope: str) -> None:
    """Raises TokenError unless the claims have the scope. (Upstream breaks down where they have none at all.)"""
    held = claims.get("scope")
    if not isinstance(held, list) or scope not in held:
        raise TokenError(_NOT_ALLOWED)


def public_key(pem: bytes) -> RSAPublicKey:
    """The key in a PEM text: itself, or in a certificate. Raises ValueError."""
    key = load_pem_x509_certificate(pem).public_key() if _CERTIFICATE in pem else load_pem_public_key(pem)
    if not isinstance(key, RSAPublicKey):
        raise ValueError("not an RSA key")
    return key


def _check_signature(header: Mapping[str, Any], parts: list[str], key: RSAPublicKey) -> None:
    algorithm = _HASHES.get(str(header.get("alg")))
    if algorithm is None:
        raise TokenError("invalid signing method")
    signed = f"{parts[0]}.{parts[1]}".encode()
    try:
        key.verify(_bytes(parts[2]), signed, PKCS1v15(), algorithm())
    except InvalidSignature as error:
        raise WrongSignature("crypto/rsa: verification error") from error


def _object(part: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(_bytes(part), type=dict[str, Any])
    except UNREADABLE as error:
        raise TokenError(f"token cannot be read: {error}") from error


def _bytes(part: str) -> bytes:
    """base64url without padding; the message is Go's."""
    encoded = part.encode("utf-8", "surrogateescape")
    stray = next((at for at, byte in enumerate(encoded) if byte not in _BASE64URL), None)
    if stray is None and len(encoded) % 4 == 1:
        stray = len(encoded) - 1
    if stray is not None:
        raise TokenError(f"illegal base64 data at input byte {stray}")
    return urlsafe_b64decode(encoded + b"=" * (-len(encoded) % 4))


def _time(claims: Mapping[str, Any], name: str, default: float) -> float:
    value = claims.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else default

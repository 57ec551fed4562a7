"""Secrets at rest: `scrypt$<log2 n>$<salt>$<hash>`, both parts in hexadecimal."""

import hashlib
import hmac
import os

# 4 MiB and some 15 ms a check: every token request pays it, on a machine that runs the whole foundation.
_LOG2_N = 12
_BLOCK = 8
_MEMORY = 64 * 1024 * 1024


def _scrypt(secret: str, salt: bytes, log2_n: int) -> bytes:
    return hashlib.scrypt(secret.encode(), salt=salt, n=1 << log2_n, r=_BLOCK, p=1, maxmem=_MEMORY)


def hashed(secret: str, salt: bytes | None = None) -> str:
    """What to store for `secret`; the salt is drawn unless given."""
    salt = os.urandom(16) if salt is None else salt
    return f"scrypt${_LOG2_N}${salt.hex()}${_scrypt(secret, salt, _LOG2_N).hex()}"


_NOBODY = f"scrypt${_LOG2_N}${bytes(16).hex()}${bytes(64).hex()}"


def matches(secret: str, stored: str | None) -> bool:
    """Whether `secret` is the stored one. Takes the same time when there is none to compare with."""
    _, log2_n, salt, expected = (stored or _NOBODY).split("$")
    actual = _scrypt(secret, bytes.fromhex(salt), int(log2_n))
    return hmac.compare_digest(actual, bytes.fromhex(expected)) and stored is not None

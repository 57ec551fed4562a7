"""Secrets at rest: `sha256$<salt>$<hash>` for what a machine has drawn, `scrypt$<log2 n>$<salt>$<hash>` for what a person chose.

All parts are in hexadecimal. Stretching makes guessing dear, which nobody needs against 256 random bits; it would only make
every token dear, and the first start slow.
"""

import hashlib
import hmac
import os

# 4 MiB and some 15 ms a check: every request with a person's password pays it.
_LOG2_N = 12
_BLOCK = 8
_MEMORY = 64 * 1024 * 1024


def _scrypt(secret: str, salt: bytes, log2_n: int) -> bytes:
    return hashlib.scrypt(secret.encode(), salt=salt, n=1 << log2_n, r=_BLOCK, p=1, maxmem=_MEMORY)


def _sha256(secret: str, salt: bytes) -> bytes:
    return hashlib.sha256(salt + secret.encode()).digest()


def hashed(secret: str, *, generated: bool = False) -> str:
    """What to store for `secret`. `generated`: it is random, or empty and so no secret."""
    salt = os.urandom(16)
    if generated:
        return f"sha256${salt.hex()}${_sha256(secret, salt).hex()}"
    return f"scrypt${_LOG2_N}${salt.hex()}${_scrypt(secret, salt, _LOG2_N).hex()}"


_NOBODY = f"scrypt${_LOG2_N}${bytes(16).hex()}${bytes(64).hex()}"


def matches(secret: str, stored: str | None) -> bool:
    """Whether `secret` is the stored one. For nobody it takes the same time as for a person."""
    scheme, *cost, salt, expected = (stored or _NOBODY).split("$")
    given = _sha256(secret, bytes.fromhex(salt)) if scheme == "sha256" else _scrypt(secret, bytes.fromhex(salt), int(cost[0]))
    return hmac.compare_digest(given, bytes.fromhex(expected)) and stored is not None

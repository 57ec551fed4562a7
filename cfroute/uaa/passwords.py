"""Secrets at rest: `sha256$<salt>$<hash>` for what a machine has drawn, `scrypt$<log2 n>$<salt>$<hash>` for what a person chose.

All parts are in hexadecimal. Stretching makes guessing dear, which nobody needs against 256 random bits; it would only make
every token dear, and the first start slow.
"""

import hashlib
import hmac
import os

# 4 MiB and some 15 ms a check: every first request with a person's password pays it.
_LOG2_N = 12
_BLOCK = 8
_MEMORY = 64 * 1024 * 1024
_REMEMBERED = 1024  # secrets


def _scrypt(secret: str, salt: bytes, log2_n: int) -> bytes:
    return hashlib.scrypt(_bytes(secret), salt=salt, n=1 << log2_n, r=_BLOCK, p=1, maxmem=_MEMORY)


def _sha256(secret: str, salt: bytes) -> bytes:
    return hashlib.sha256(salt + _bytes(secret)).digest()


def _bytes(secret: str) -> bytes:
    return secret.encode("utf-8", "surrogatepass")  # JSON may have half a character in it


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


class Verifier:
    """`matches`, but what has matched before takes microseconds.

    In place of a secret it remembers a digest under a key that only this process has. Wrong secrets cost the full time.
    """

    def __init__(self) -> None:
        self._key = os.urandom(32)
        self._seen: dict[str, bytes] = {}

    def matches(self, secret: str, stored: str | None) -> bool:
        if stored is None or not stored.startswith("scrypt$"):
            return matches(secret, stored)
        digest = hmac.digest(self._key, _bytes(secret), "sha256")
        seen = self._seen.get(stored)
        if seen is not None and hmac.compare_digest(seen, digest):
            return True
        if not matches(secret, stored):
            return False
        if len(self._seen) >= _REMEMBERED:
            self._seen.clear()
        self._seen[stored] = digest
        return True

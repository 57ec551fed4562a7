"""Consistent hashing as in Google's "Maglev: A Fast and Reliable Software Network Load Balancer".

Every name has its own order of the table's slots, made from its hash. The names take slots in turns, each the next free one
of its order, until the table is full. So all names have the same share, and when one comes or goes, few slots of the others
change hands.
"""

from array import array
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

SIZE: Final = 3001  # slots; a prime, so that every order goes through all of them
_FREE: Final = 0xFFFF
_FNV_OFFSET: Final = 0xCBF29CE484222325
_FNV_PRIME: Final = 0x100000001B3
_MASK: Final = (1 << 64) - 1
_LONGEST_KNOWN: Final = 256  # bytes of a key whose hash is remembered: clients choose the keys


@lru_cache(maxsize=4096)
def fnv1a(data: bytes) -> int:
    """The 64-bit FNV-1a hash."""
    value = _FNV_OFFSET
    for byte in data:
        value = (value ^ byte) * _FNV_PRIME & _MASK
    return value


def slot(key: bytes) -> int:
    """The slot that a key belongs to."""
    return (fnv1a(key) if len(key) <= _LONGEST_KNOWN else fnv1a.__wrapped__(key)) % SIZE


def table(names: Sequence[str]) -> "array[int]":
    """For each slot the position in `names` of the one that has it.

    `names` are sorted and differ; what exceeds the number of slots gets none. There must be at least one.
    """
    slots = array("H", [_FREE]) * SIZE
    hashes = [fnv1a(name.encode()) for name in names[:SIZE]]
    wanted = [value % SIZE for value in hashes]
    steps = [value % (SIZE - 1) + 1 for value in hashes]
    left = SIZE
    while left:
        for owner, step in enumerate(steps):
            at = wanted[owner]
            while slots[at] != _FREE:
                at = (at + step) % SIZE
            slots[at] = owner
            wanted[owner] = (at + step) % SIZE
            left -= 1
            if not left:
                break
    return slots

"""Protobuf on the wire: numbers, texts, and the fields of a message.

What components tell each other in protobuf is small, and is written by hand where it is used; the library alone would take 7 MB
in each process. Only the two kinds of fields that are used are handed out, the others are skipped.
"""

from collections.abc import Iterator
from typing import Final

_FEW: Final = tuple(bytes((number,)) for number in range(0x80))
_VARINT: Final = 0
_FIXED64: Final = 1
_BYTES: Final = 2
_BEGIN_GROUP: Final = 3
_END_GROUP: Final = 4
_FIXED32: Final = 5
_WIDTHS: Final = {_FIXED64: 8, _FIXED32: 4}
_DEEPEST: Final = 100  # groups in groups
_MASK: Final = 0xFFFF_FFFF_FFFF_FFFF
_LARGEST_TAG: Final = 0xFFFF_FFFF


def varint(number: int) -> bytes:
    """A number as protobuf writes it: seven bits a byte, the lowest first; negative ones as 64 bits."""
    if 0 <= number < 0x80:
        return _FEW[number]
    number &= _MASK
    if 1 << 56 <= number < 1 << 63:  # times, and halves of UUIDs: quicker than the loop below
        return bytes((
            number & 0x7F | 0x80, number >> 7 & 0x7F | 0x80, number >> 14 & 0x7F | 0x80, number >> 21 & 0x7F | 0x80,
            number >> 28 & 0x7F | 0x80, number >> 35 & 0x7F | 0x80, number >> 42 & 0x7F | 0x80, number >> 49 & 0x7F | 0x80,
            number >> 56,
        ))  # fmt: skip
    data = bytearray()
    while number >= 0x80:
        data.append(number & 0x7F | 0x80)
        number >>= 7
    data.append(number)
    return bytes(data)


def sized(data: bytes) -> bytes:
    """Bytes, text or a message as the value of a field: its length goes before it."""
    return varint(len(data)) + data


def signed(number: int) -> int:
    """The int64 that a number on the wire stands for."""
    return number - (1 << 64) if number >> 63 else number


def fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of the fields of a message, in order. Raises ValueError when it breaks off, or is no message."""
    at = 0
    groups: list[int] = []
    while at < len(message):
        key, at = _read_varint(message, at)
        number, wire = key >> 3, key & 7
        if not number or key > _LARGEST_TAG:
            raise ValueError(f"field number {number}")
        if wire == _VARINT:
            value, at = _read_varint(message, at)
            if not groups:
                yield number, value
        elif wire == _BEGIN_GROUP and len(groups) < _DEEPEST:
            groups.append(number)
        elif wire == _END_GROUP and groups and groups.pop() == number:
            pass
        elif wire == _BYTES or wire in _WIDTHS:
            size, at = _read_varint(message, at) if wire == _BYTES else (_WIDTHS[wire], at)
            if at + size > len(message):
                raise ValueError("a field that is longer than its message")
            if wire == _BYTES and not groups:
                yield number, message[at : at + size]
            at += size
        else:
            raise ValueError(f"wire type {wire}")
    if groups:
        raise ValueError("a group that does not end")


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    """The number there, and where it ends."""
    number = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise ValueError("a number that breaks off")
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number & _MASK, at
    raise ValueError("a number that does not end")

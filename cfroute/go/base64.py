"""Base64 as Go's `encoding/base64` decodes it, with the position that its error names."""

import binascii
import re

_PAD = 0x3D
_BREAKS = b"\r\n"
_COMMON = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_STANDARD = frozenset(_COMMON + b"+/")
_URL = frozenset(_COMMON + b"-_")
_TO_STANDARD = bytes.maketrans(b"-_", b"+/")

# What is in order at first sight; anything else is gone through byte by byte.
_GOOD_STANDARD = re.compile(rb"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_GOOD_URL = re.compile(rb"(?:[A-Za-z0-9\-_]{4})*(?:[A-Za-z0-9\-_]{2}==|[A-Za-z0-9\-_]{3}=)?")


class Base64Error(ValueError):
    """The text is no base64; the message is Go's."""


def decode_standard(text: bytes) -> bytes:
    """The bytes of padded base64 with `+` and `/`; line breaks are ignored. Raises Base64Error."""
    if not _GOOD_STANDARD.fullmatch(text):
        _check(text, _STANDARD)
    return binascii.a2b_base64(text.translate(None, _BREAKS))


def decode_url(text: bytes) -> bytes:
    """The same with `-` and `_`."""
    if not _GOOD_URL.fullmatch(text):
        _check(text, _URL)
    return binascii.a2b_base64(text.translate(_TO_STANDARD, _BREAKS))


def _check(text: bytes, alphabet: frozenset[int]) -> None:
    in_quantum = 0
    for position, char in enumerate(text):
        if char in _BREAKS:
            continue
        if char not in alphabet:
            if char != _PAD or in_quantum < 2:
                _refuse(position)
            _check_padding(text, position, in_quantum)
            return
        in_quantum = (in_quantum + 1) % 4
    if in_quantum:
        _refuse(len(text) - in_quantum)


def _check_padding(text: bytes, position: int, in_quantum: int) -> None:
    """What follows the first `=`: a second one after two characters, and nothing else."""
    after = _skip_breaks(text, position + 1)
    if in_quantum == 2:
        if after == len(text):
            _refuse(after)
        if text[after] != _PAD:
            _refuse(after - 1)
        after = _skip_breaks(text, after + 1)
    if after < len(text):
        _refuse(after)


def _skip_breaks(text: bytes, position: int) -> int:
    while position < len(text) and text[position] in _BREAKS:
        position += 1
    return position


def _refuse(position: int) -> None:
    raise Base64Error(f"illegal base64 data at input byte {position}")

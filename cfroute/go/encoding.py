"""JSON as Go writes it: compact, and safe to stand in HTML."""

from typing import Any

import msgspec

_encode = msgspec.json.Encoder().encode


def encode(value: Any) -> bytes:
    """The value, without a new line."""
    return escaped(_encode(value))


def escaped(encoded: bytes) -> bytes:
    """JSON that is safe to stand in HTML. What is replaced can only be part of strings."""
    for plain, escape in ((b"<", b"\\u003c"), (b">", b"\\u003e"), (b"&", b"\\u0026")):
        if plain in encoded:
            encoded = encoded.replace(plain, escape)
    return encoded

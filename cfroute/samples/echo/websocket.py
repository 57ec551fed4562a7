"""The server's side of a WebSocket (RFC 6455), as far as an echo needs it."""

import base64
import hashlib
import struct
from typing import BinaryIO

MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
LONGEST = 16 * 1024 * 1024  # bytes of one frame
PROTOCOL_ERROR, TOO_BIG = 1002, 1009


class Broken(Exception):
    """The other side does not keep to the protocol; the argument is the status to close with."""


def accept(key: str) -> str:
    """The value of Sec-WebSocket-Accept."""
    return base64.b64encode(hashlib.sha1((key + MAGIC).encode()).digest()).decode()


def echo(reading: BinaryIO, writing: BinaryIO) -> None:
    """Send every data frame back as it is, until the other side closes."""
    while True:
        try:
            frame = _read(reading)
        except Broken as error:
            _write(writing, 0x80 | CLOSE, struct.pack("!H", error.args[0]))
            return
        if frame is None:
            return
        first, payload = frame
        opcode = first & 0x0F
        if opcode in (CONTINUATION, TEXT, BINARY):
            _write(writing, first, payload)
        elif opcode == PING:
            _write(writing, 0x80 | PONG, payload)
        elif opcode == CLOSE:
            _write(writing, 0x80 | CLOSE, payload[:2])
            return


def _read(reading: BinaryIO) -> tuple[int, bytes] | None:
    """The first byte of a frame, and its payload, unmasked; None at the end."""
    head = reading.read(2)
    if len(head) < 2:
        return None
    first, second = head
    if first & 0x70 or not second & 0x80:  # no extension was agreed on; clients must mask
        raise Broken(PROTOCOL_ERROR)
    size = second & 0x7F
    if first & 0x08 and (size > 125 or not first & 0x80):  # control frames are short and whole
        raise Broken(PROTOCOL_ERROR)
    if size == 126:
        (size,) = struct.unpack("!H", reading.read(2))
    elif size == 127:
        (size,) = struct.unpack("!Q", reading.read(8))
    if size > LONGEST:
        raise Broken(TOO_BIG)
    mask = reading.read(4)
    payload = reading.read(size)
    if len(payload) < size:
        return None
    return first, _unmask(payload, mask)


def _unmask(payload: bytes, mask: bytes) -> bytes:
    size = len(payload)
    repeated = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(size, "big")


def _write(writing: BinaryIO, first: int, payload: bytes) -> None:
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", first, size)
    elif size < 65536:
        head = struct.pack("!BBH", first, 126, size)
    else:
        head = struct.pack("!BBQ", first, 127, size)
    writing.write(head + payload)
    writing.flush()

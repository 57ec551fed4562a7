"""The NATS client protocol as bytes: what a client reads, and what it writes.

    server: INFO {json}   MSG subject sid [reply] size   HMSG subject sid [reply] headers size   PING   PONG   +OK   -ERR 'text'
    client: CONNECT {json}   PUB subject [reply] size   SUB subject sid   PING   PONG

Each line ends with CR LF, and so does the payload that follows `MSG`, `HMSG` and `PUB`.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec

from cfroute.unreadable import UNREADABLE

PING: Final = b"PING\r\n"
PONG: Final = b"PONG\r\n"
_LONGEST_LINE: Final = 64 * 1024  # bytes; INFO of a large cluster has some kilobytes
_LARGEST_PAYLOAD: Final = 64 << 20  # bytes: more than any server lets through


class ProtocolError(Exception):
    """The server says what no NATS server says."""


class Info(msgspec.Struct):
    """What a server tells of itself, as far as a client cares."""

    tls_required: bool = False
    tls_available: bool = False
    headers: bool = False
    client_id: int = 0
    connect_urls: list[str] = []


class Message(NamedTuple):
    """A message on one of our subscriptions. `reply` is empty when nobody waits for an answer."""

    subject: bytes
    sid: bytes
    reply: bytes
    payload: bytes


class Control(NamedTuple):
    """Any other line: its verb in upper case, and what follows it."""

    verb: bytes
    rest: bytes


class Parser:
    """Cuts what comes over a connection into messages and control lines, however it is divided."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Message | Control]:
        """What has become complete with these bytes, in order. Raises ProtocolError."""
        if self._rest:
            data = self._rest + data
        found: list[Message | Control] = []
        at, size = 0, len(data)
        while at < size:
            end = data.find(b"\r\n", at)
            if end < 0:
                if size - at > _LONGEST_LINE:
                    raise ProtocolError("the line is too long")
                break
            if data.startswith(b"MSG ", at):
                fields = data[at + 4 : end].split()
                length = _size(fields, 3)
                begin = end + 2
                if begin + length + 2 > size:
                    break
                at = begin + length + 2
                found.append(Message(fields[0], fields[1], fields[2] if len(fields) > 3 else b"", data[begin : at - 2]))
            else:
                item, at = _other(data, at, end)
                if item is None:
                    break
                found.append(item)
        self._rest = data[at:] if at < size else b""
        return found


def _size(fields: list[bytes], least: int) -> int:
    """The number at the end of a line of at least so many fields, one of which may be left out."""
    if least <= len(fields) <= least + 1 and fields[-1].isdigit() and len(fields[-1]) < 10:
        length = int(fields[-1])
        if length <= _LARGEST_PAYLOAD:
            return length
    raise ProtocolError("the size of a message cannot be read")


def _other(data: bytes, at: int, end: int) -> tuple[Message | Control | None, int]:
    """What stands at `at`, and where it ends; None if there is more to come."""
    verb, _, rest = data[at:end].partition(b" ")
    verb = verb.upper()
    if verb not in (b"HMSG", b"MSG"):
        return Control(verb, rest.strip()), end + 2
    headed = verb == b"HMSG"
    fields = rest.split()
    length = _size(fields, 4 if headed else 3)
    begin = end + 2
    after = begin + length + 2
    if after > len(data):
        return None, at
    skipped = _size(fields[:-1], 3) if headed else 0
    if skipped > length:
        raise ProtocolError("the headers of a message are longer than it is")
    reply = fields[2] if len(fields) > (4 if headed else 3) else b""
    return Message(fields[0], fields[1], reply, data[begin + skipped : after - 2]), after


def info(rest: bytes) -> Info:
    """What an `INFO` line says. Raises ProtocolError."""
    try:
        return msgspec.json.decode(rest, type=Info)
    except UNREADABLE as error:
        raise ProtocolError("INFO cannot be read") from error


def error_text(rest: bytes) -> str:
    """What an `-ERR` line says, without its quotes."""
    return rest.decode("utf-8", "replace").strip(" '\"")


def connect(options: Mapping[str, Any]) -> bytes:
    """The line that shows who we are."""
    return b"CONNECT %b\r\n" % msgspec.json.encode(options)


def publish(subject: bytes, payload: bytes) -> bytes:
    return b"PUB %b %d\r\n%b\r\n" % (subject, len(payload), payload)


def subscribe(subject: bytes, sid: bytes) -> bytes:
    return b"SUB %b %b\r\n" % (subject, sid)

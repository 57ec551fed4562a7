"""The line of the PROXY protocol, version 1, by which a load balancer of bytes tells whom it connects.

    PROXY TCP4 203.0.113.7 10.0.0.1 51324 443\\r\\n

What is accepted, and the words of what is refused, are those of the library that Gorouter uses.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Final

PREFIX: Final = b"PROXY "
_MOST: Final = 4096  # bytes without a line feed; the longest line that makes sense has 107
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,18}")


class BadLineError(Exception):
    """The connection begins as if with a line of the protocol, but it is none."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """How a connection begins: the client's address and port (None: it is the peer), and the length of the line (0: none)."""

    source: tuple[str, int] | None = None
    length: int = 0


def read(data: bytes) -> Beginning | None:
    """What the first bytes of a connection say, or None while they may still become a line. Raises BadLineError."""
    if not data.startswith(PREFIX):
        return None if PREFIX.startswith(data) else Beginning()
    end = data.find(b"\n")
    if end >= 0:
        return Beginning(_source(data[: end - 1].decode("latin-1")), end + 1)
    if len(data) > _MOST:
        raise BadLineError("Invalid header line: too long")
    return None


def _source(line: str) -> tuple[str, int]:
    parts = line.split(" ")
    if len(parts) < 2:
        raise BadLineError(f"Invalid header line: {line}")
    if parts[1] == "UNKNOWN":
        raise BadLineError(f"Invalid UNKNOWN header line: {line}")
    if parts[1] not in ("TCP4", "TCP6"):
        raise BadLineError(f"Unhandled address type: {parts[1]}")
    if len(parts) != 6:
        raise BadLineError(f"Invalid header line: {line}")
    _, _, source, destination, port, to_port = parts
    host, number = _address(source, "source"), _port(port, "source")
    _address(destination, "destination")
    _port(to_port, "destination")
    return host, number


def _address(text: str, whose: str) -> str:
    """The address in its usual form. Go knows no zones here, and shows IPv4 in IPv6 as IPv4."""
    try:
        address = ip_address(text)
    except ValueError as error:
        raise BadLineError(f"Invalid {whose} ip: {text}") from error
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.scope_id is not None:
        raise BadLineError(f"Invalid {whose} ip: {text}")
    return str(address.ipv4_mapped or address)


def _port(text: str, whose: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise BadLineError(f"Invalid {whose} port: {text}")
    return int(text)

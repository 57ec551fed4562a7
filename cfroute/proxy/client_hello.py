"""The first message of a TLS handshake: what a client says about itself before anything is decided (RFC 8446, 4.1.2).

OpenSSL reads it again and judges it; what is taken out here only chooses among the listener's contexts. So a hello that is
malformed reads as one that says nothing: refusing it is left to OpenSSL, which knows the alert for it.
"""

from typing import Final, NamedTuple

_HANDSHAKE: Final = 22  # the type of a record
_CLIENT_HELLO: Final = 1  # the type of a message
_MOST: Final = 1 << 16  # bytes of a hello, as Go's crypto/tls limits a handshake message
_MOST_RECORDS: Final = 1024  # that a hello may be cut into: they are read again with each byte, and might be empty
_SERVER_NAME, _PROTOCOLS, _VERSIONS = 0, 16, 43  # extensions
_KNOWN_VERSIONS: Final = (0x0304, 0x0303, 0x0302, 0x0301)


class ClientHello(NamedTuple):
    """What is asked for: the server's name in lower case, protocols to speak (ALPN), versions of TLS (0x0303 is 1.2)."""

    server_name: str = ""
    protocols: tuple[bytes, ...] = ()
    versions: tuple[int, ...] = ()


def is_record(data: bytes) -> bool:
    """Whether the first five bytes of a connection can be the header of a record with a handshake message."""
    return data[0] == _HANDSHAKE and data[1] == 3


def read(data: bytes) -> ClientHello | None:
    """The hello at the start of a connection, or None while more of it has to come."""
    message = b""
    position = records = 0
    while position + 5 <= len(data) and data[position] == _HANDSHAKE:
        end = position + 5 + int.from_bytes(data[position + 3 : position + 5], "big")
        if end > len(data):
            return None
        message += data[position + 5 : end]
        position = end
        records += 1
        if records > _MOST_RECORDS:
            return ClientHello()
        if len(message) >= 4:
            length = 4 + int.from_bytes(message[1:4], "big")
            if message[0] != _CLIENT_HELLO or length > _MOST:
                return ClientHello()
            if len(message) >= length:
                return _parse(message[4:length])
    return None if len(data) - position < 5 else ClientHello()


def _parse(body: bytes) -> ClientHello:
    try:
        legacy = int.from_bytes(body[:2], "big")
        rest = _Reader(body[34:])  # after the version and 32 random bytes
        rest.vector(1)  # session id
        rest.vector(2)  # cipher suites
        rest.vector(1)  # compression methods
        extensions = _Reader(rest.vector(2) if rest.left else b"")
        found: dict[int, bytes] = {}
        while extensions.left:
            kind = extensions.number(2)
            found[kind] = extensions.vector(2)
        return ClientHello(_server_name(found), _protocols(found), _versions(found, legacy))
    except _TruncatedError:
        return ClientHello()


def _server_name(extensions: dict[int, bytes]) -> str:
    names = _Reader(_Reader(extensions.get(_SERVER_NAME, b"\0\0")).vector(2))
    while names.left:
        kind, name = names.number(1), names.vector(2)
        if kind == 0:
            return name.decode("ascii", "replace").lower().removesuffix(".")
    return ""


def _protocols(extensions: dict[int, bytes]) -> tuple[bytes, ...]:
    names, found = _Reader(_Reader(extensions.get(_PROTOCOLS, b"\0\0")).vector(2)), []
    while names.left:
        found.append(names.vector(1))
    return tuple(found)


def _versions(extensions: dict[int, bytes], legacy: int) -> tuple[int, ...]:
    offered = extensions.get(_VERSIONS)
    if offered is None:  # up to TLS 1.2 a client names only the highest that it knows
        return tuple(version for version in _KNOWN_VERSIONS[1:] if version <= legacy)
    numbers = _Reader(_Reader(offered).vector(1))
    found = []
    while numbers.left:
        found.append(numbers.number(2))
    return tuple(found)


class _TruncatedError(Exception):
    """A length leads beyond the end."""


class _Reader:
    """Takes numbers and vectors, in network byte order, from the front of some bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._position

    def number(self, size: int) -> int:
        """A number of `size` bytes."""
        return int.from_bytes(self._take(size), "big")

    def vector(self, size: int) -> bytes:
        """Bytes behind their length, which is a number of `size` bytes."""
        return self._take(self.number(size))

    def _take(self, size: int) -> bytes:
        if size > self.left:
            raise _TruncatedError
        self._position += size
        return self._data[self._position - size : self._position]

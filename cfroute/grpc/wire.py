"""What gRPC puts into HTTP/2: header blocks, messages with their length, timeouts, and how a call ended in its trailers."""

from typing import Final
from urllib.parse import quote, unquote

from cfroute.grpc.status import Code, RpcError
from cfroute.http2.hpack_blocks import Pair, field, indexed

CONTENT_TYPE: Final = b"application/grpc"
MOST_BYTES: Final = 1 << 16
"""Of a message: what is sent here are a few short texts."""

_PREFIX: Final = 5  # bytes before a message: whether it is compressed, and its length
_PRINTABLE: Final = "".join(chr(code) for code in range(0x20, 0x7F) if code != 0x25)
_DIGITS: Final = 8  # of a timeout
_UNITS: Final = ((b"m", 1e3), (b"S", 1.0), (b"M", 1 / 60))
# What a status of HTTP means for a call whose server (or whatever answered in its place) said nothing else.
_OF_HTTP: Final = {
    b"400": Code.INTERNAL,
    b"401": Code.UNAUTHENTICATED,
    b"403": Code.PERMISSION_DENIED,
    b"404": Code.UNIMPLEMENTED,
    b"429": Code.UNAVAILABLE,
    b"502": Code.UNAVAILABLE,
    b"503": Code.UNAVAILABLE,
    b"504": Code.UNAVAILABLE,
}


# Messages


def framed(message: bytes) -> bytes:
    """A message as it stands in DATA."""
    return b"\0" + len(message).to_bytes(4, "big") + message


def message_of(data: bytes) -> bytes:
    """The one message that a side has sent. Raises RpcError."""
    if data[:1] == b"\1":
        raise RpcError(Code.UNIMPLEMENTED, "grpc: Decompressor is not installed")
    size = int.from_bytes(data[1:_PREFIX], "big")
    if size > MOST_BYTES:
        raise too_large(data)
    if len(data) != _PREFIX + size or data[:1] != b"\0":
        raise RpcError(Code.INTERNAL, "grpc: not exactly one message")
    return data[_PREFIX:]


def is_too_large(size: int) -> bool:
    """Whether so many bytes of DATA are more than a message may have."""
    return size > _PREFIX + MOST_BYTES


def too_large(data: bytes) -> RpcError:
    """The error of a message of which this is the begin."""
    size = max(int.from_bytes(data[1:_PREFIX], "big"), len(data) - _PREFIX)
    return RpcError(Code.RESOURCE_EXHAUSTED, f"grpc: received message larger than max ({size} vs. {MOST_BYTES})")


# Requests


def request_block(method: str, authority: str, timeout: float | None, metadata: tuple[tuple[str, str], ...]) -> bytes:
    """The fields of a call of `method` (`/package.Service/Method`); timeout is in seconds."""
    parts = [
        indexed(b":method", b"POST"),
        indexed(b":scheme", b"https"),
        field(b":path", method.encode()),
        field(b":authority", authority.encode()),
        field(b"content-type", CONTENT_TYPE),
        field(b"te", b"trailers"),
        field(b"user-agent", b"grpc-cfroute"),
    ]
    if timeout is not None:
        parts.append(field(b"grpc-timeout", timeout_text(timeout)))
    parts += [field(name.encode(), value.encode()) for name, value in metadata]
    return b"".join(parts)


def timeout_text(seconds: float) -> bytes:
    """A timeout as its header has it, in the smallest unit that holds it; never nothing."""
    for unit, factor in _UNITS:
        number = max(1, round(seconds * factor))
        if number < 10**_DIGITS:
            return b"%d%b" % (number, unit)
    return b"9" * _DIGITS + b"H"


def is_call(fields: dict[bytes, bytes]) -> bool:
    """Whether a request is one of gRPC at all."""
    kind = fields.get(b"content-type", b"")
    ours = kind == CONTENT_TYPE or kind.startswith((CONTENT_TYPE + b"+", CONTENT_TYPE + b";"))
    return ours and fields.get(b":method") == b"POST"


def unknown(path: str, services: set[str]) -> RpcError:
    """The error for a method that there is not."""
    service, _, method = path.removeprefix("/").rpartition("/")
    if service in services:
        return RpcError(Code.UNIMPLEMENTED, f"unknown method {method} for service {service}")
    return RpcError(Code.UNIMPLEMENTED, f"unknown service {service}")


# Responses


def response_block() -> bytes:
    """The fields before a message."""
    return indexed(b":status", b"200") + field(b"content-type", CONTENT_TYPE)


def refusal_block() -> bytes:
    """All fields of the answer to what is no call."""
    return field(b":status", b"415") + field(b"grpc-status", b"%d" % Code.INTERNAL)


def trailer_block(error: RpcError | None) -> bytes:
    """The fields that end a call."""
    if error is None:
        return field(b"grpc-status", b"0")
    text = quote(error.message, safe=_PRINTABLE).encode()
    return field(b"grpc-status", b"%d" % error.code) + field(b"grpc-message", text)


def response_problem(fields: dict[bytes, bytes]) -> RpcError | None:
    """Why nothing of use follows the head of a response; None if something may."""
    status = fields.get(b":status", b"")
    if status == b"200" or b"grpc-status" in fields:
        return None
    code = _OF_HTTP.get(status, Code.UNKNOWN)
    return RpcError(code, f"unexpected HTTP status code received from server: {status.decode('latin-1')}")


def outcome(fields: dict[bytes, bytes]) -> RpcError | None:
    """How a call ended, by its trailers; None if well."""
    told = fields.get(b"grpc-status", b"")
    if not told.isdigit():
        return RpcError(Code.UNKNOWN, "server closed the stream without sending trailers")
    number = int(told[:4])
    if number == Code.OK:
        return None
    code = Code(number) if number <= Code.UNAUTHENTICATED else Code.UNKNOWN
    return RpcError(code, unquote(fields.get(b"grpc-message", b"").decode("latin-1")))


def fields_of(pairs: list[Pair]) -> dict[bytes, bytes]:
    """The fields of a block by name; of those that come twice, the last."""
    return dict(pairs)

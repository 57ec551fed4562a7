"""Frames of HTTP/2 (RFC 9113, sections 4 and 6): bytes -> frames, and frames -> bytes."""

from collections.abc import Iterator, Mapping
from enum import IntEnum
from struct import Struct
from typing import Final, NamedTuple

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

DATA: Final = 0
HEADERS: Final = 1
PRIORITY: Final = 2
RST_STREAM: Final = 3
SETTINGS: Final = 4
PUSH_PROMISE: Final = 5
PING: Final = 6
GOAWAY: Final = 7
WINDOW_UPDATE: Final = 8
CONTINUATION: Final = 9

ACK: Final = 0x1
END_STREAM: Final = 0x1
END_HEADERS: Final = 0x4
PADDED: Final = 0x8
HAS_PRIORITY: Final = 0x20

HEADER_TABLE_SIZE: Final = 1
ENABLE_PUSH: Final = 2
MAX_CONCURRENT_STREAMS: Final = 3
INITIAL_WINDOW_SIZE: Final = 4
MAX_FRAME_SIZE: Final = 5
MAX_HEADER_LIST_SIZE: Final = 6

FRAME_SIZE: Final = 16384
"""The largest payload in bytes that we take, and send before the peer has allowed more."""
LARGEST_WINDOW: Final = 2**31 - 1
FIRST_WINDOW: Final = 65535

_HEADER: Final = Struct(">HBBBL")
_SETTING: Final = Struct(">HL")
_WORD: Final = Struct(">L")
_TWO_WORDS: Final = Struct(">LL")
_STREAM: Final = 0x7FFFFFFF  # the bits of a stream's number; the one above is reserved


class ErrorCode(IntEnum):
    """Why a stream or a connection ends (RFC 9113, section 7)."""

    NO_ERROR = 0
    PROTOCOL_ERROR = 1
    INTERNAL_ERROR = 2
    FLOW_CONTROL_ERROR = 3
    SETTINGS_TIMEOUT = 4
    STREAM_CLOSED = 5
    FRAME_SIZE_ERROR = 6
    REFUSED_STREAM = 7
    CANCEL = 8
    COMPRESSION_ERROR = 9
    CONNECT_ERROR = 10
    ENHANCE_YOUR_CALM = 11
    INADEQUATE_SECURITY = 12
    HTTP_1_1_REQUIRED = 13


def error_name(code: int) -> str:
    """The name of an error code; those that RFC 9113 does not know read as Go writes them."""
    return ErrorCode(code).name if code <= ErrorCode.HTTP_1_1_REQUIRED else f"unknown error code 0x{code:x}"


class ConnectionProblem(Exception):
    """The peer broke a rule in a way that ends the connection; the text is for its GOAWAY."""

    def __init__(self, code: ErrorCode, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class StreamProblem(Exception):
    """The peer broke a rule in a way that ends one stream."""

    def __init__(self, stream_id: int, code: ErrorCode, text: str = "") -> None:
        super().__init__(text)
        self.stream_id = stream_id
        self.code = code


class Frame(NamedTuple):
    """One frame as it came; the payload is neither unpadded nor understood."""

    kind: int
    flags: int
    stream_id: int
    payload: bytes


class FrameReader:
    """Cuts what comes into frames."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that are complete with `data`. Raises ConnectionProblem at one that is larger than we allow."""
        if self._rest:
            data, self._rest = self._rest + data, b""
        position, end = 0, len(data)
        while end - position >= 9:
            high, low, kind, flags, stream_id = _HEADER.unpack_from(data, position)
            length = high << 8 | low
            if length > FRAME_SIZE:
                raise ConnectionProblem(ErrorCode.FRAME_SIZE_ERROR, "frame too large")
            begin = position + 9
            if begin + length > end:
                break
            position = begin + length
            yield Frame(kind, flags, stream_id & _STREAM, data[begin:position])
        self._rest = data[position:]

    @property
    def unfinished(self) -> bool:
        """Whether there is a begun frame."""
        return bool(self._rest)


# Reading payloads


def unpadded(frame: Frame) -> bytes:
    """The payload without its padding. Raises ConnectionProblem."""
    payload = frame.payload
    if not frame.flags & PADDED:
        return payload
    if not payload:
        raise ConnectionProblem(ErrorCode.FRAME_SIZE_ERROR, "frame without its pad length")
    if payload[0] >= len(payload):
        raise ConnectionProblem(ErrorCode.PROTOCOL_ERROR, "more padding than payload")
    return payload[1 : len(payload) - payload[0]]


def header_fragment(frame: Frame) -> bytes:
    """What a HEADERS frame has of its block. Raises ConnectionProblem."""
    payload = unpadded(frame)
    if not frame.flags & HAS_PRIORITY:
        return payload
    if len(payload) < 5:
        raise ConnectionProblem(ErrorCode.FRAME_SIZE_ERROR, "HEADERS without its priority")
    return payload[5:]


def word(payload: bytes) -> int:
    """A payload that is one number: of RST_STREAM, WINDOW_UPDATE, the begin of PRIORITY and GOAWAY."""
    return int(_WORD.unpack_from(payload)[0])


def settings_of(frame: Frame) -> list[tuple[int, int]]:
    """The settings of a SETTINGS frame, checked. Raises ConnectionProblem."""
    if len(frame.payload) % 6 or (frame.flags & ACK and frame.payload):
        raise ConnectionProblem(ErrorCode.FRAME_SIZE_ERROR, "SETTINGS of a wrong length")
    settings = list(_SETTING.iter_unpack(frame.payload))
    for key, value in settings:
        if key == ENABLE_PUSH and value > 1:
            raise ConnectionProblem(ErrorCode.PROTOCOL_ERROR, "ENABLE_PUSH is neither 0 nor 1")
        if key == INITIAL_WINDOW_SIZE and value > LARGEST_WINDOW:
            raise ConnectionProblem(ErrorCode.FLOW_CONTROL_ERROR, "INITIAL_WINDOW_SIZE is too large")
        if key == MAX_FRAME_SIZE and not FRAME_SIZE <= value < 1 << 24:
            raise ConnectionProblem(ErrorCode.PROTOCOL_ERROR, "MAX_FRAME_SIZE is out of range")
    return settings


# Writing frames


def frame_header(length: int, kind: int, flags: int, stream_id: int) -> bytes:
    """The nine bytes before a payload."""
    return _HEADER.pack(length >> 8, length & 0xFF, kind, flags, stream_id)


def headers(stream_id: int, block: bytes, *, end_stream: bool, frame_size: int = FRAME_SIZE) -> bytes:
    """A header block as HEADERS, and CONTINUATION where it is longer than a frame may be."""
    flags = END_STREAM if end_stream else 0
    if len(block) <= frame_size:
        return frame_header(len(block), HEADERS, flags | END_HEADERS, stream_id) + block
    parts = [frame_header(frame_size, HEADERS, flags, stream_id), block[:frame_size]]
    for begin in range(frame_size, len(block), frame_size):
        piece = block[begin : begin + frame_size]
        last = begin + frame_size >= len(block)
        parts += (frame_header(len(piece), CONTINUATION, END_HEADERS if last else 0, stream_id), piece)
    return b"".join(parts)


def settings(values: Mapping[int, int]) -> bytes:
    """A SETTINGS frame."""
    payload = b"".join(_SETTING.pack(key, value) for key, value in values.items())
    return frame_header(len(payload), SETTINGS, 0, 0) + payload


SETTINGS_ACK: Final = frame_header(0, SETTINGS, ACK, 0)


def ping_ack(payload: bytes) -> bytes:
    """The answer to a PING."""
    return frame_header(8, PING, ACK, 0) + payload


def rst_stream(stream_id: int, code: int) -> bytes:
    """The sudden end of a stream."""
    return frame_header(4, RST_STREAM, 0, stream_id) + _WORD.pack(code)


def window_update(stream_id: int, size: int) -> bytes:
    """Leave to send `size` more bytes of DATA; on the whole connection if stream_id is 0."""
    return frame_header(4, WINDOW_UPDATE, 0, stream_id) + _WORD.pack(size)


def goaway(last_stream: int, code: int, text: str = "") -> bytes:
    """The end of a connection; streams above last_stream have not been looked at."""
    payload = _TWO_WORDS.pack(last_stream, code) + text.encode()
    return frame_header(len(payload), GOAWAY, 0, 0) + payload

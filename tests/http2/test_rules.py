"""What a client may send, and what becomes of one that sends something else (RFC 9113)."""

import struct
import time
from typing import Any

import pytest
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    ExtensionFrame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from cfroute.http2.frames import PREFACE, ErrorCode
from cfroute.http2.front import MOST_STREAMS
from cfroute.http2.stream import WINDOW
from cfroute.proxy.head import ResponseHead
from cfroute.proxy.headers import Headers
from cfroute.proxy.server import Limits

from .plumbing import REQUEST, Front, continuation


@pytest.fixture
async def front(anyio_backend: Any) -> Front:
    return Front()


def raw(kind: int, flags: int, stream_id: int, payload: bytes) -> bytes:
    return struct.pack(">HBBBL", len(payload) >> 8, len(payload) & 0xFF, kind, flags, stream_id) + payload


# Section 3.4: the preface


async def test_a_wrong_preface_ends_the_connection(anyio_backend: Any) -> None:
    front = Front(greet=False)
    front.send(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
    assert front.gone() == ErrorCode.PROTOCOL_ERROR


async def test_the_preface_may_come_in_pieces(anyio_backend: Any) -> None:
    front = Front(greet=False)
    data = PREFACE + SettingsFrame(0).serialize()
    for position in range(len(data)):
        front.send(data[position : position + 1])
    front.request(1)
    assert front.fields(1)[":status"] == "200"


async def test_settings_come_first(anyio_backend: Any) -> None:
    front = Front(greet=False)
    front.send(PREFACE, PingFrame(0, b"12345678"))
    assert front.gone() == ErrorCode.PROTOCOL_ERROR


# Whole frames that break a rule: (name, frame, code); the connection ends

BROKEN = [
    ("4.2: a frame larger than we allow", raw(0, 0, 1, bytes(16385)), ErrorCode.FRAME_SIZE_ERROR),
    ("5.1: DATA on an idle stream", DataFrame(1, b"x"), ErrorCode.PROTOCOL_ERROR),
    ("5.1: RST_STREAM on an idle stream", RstStreamFrame(1), ErrorCode.PROTOCOL_ERROR),
    ("5.1: WINDOW_UPDATE on an idle stream", WindowUpdateFrame(1, 1), ErrorCode.PROTOCOL_ERROR),
    ("5.1: CONTINUATION without a begin", ContinuationFrame(1, b""), ErrorCode.PROTOCOL_ERROR),
    ("5.1.1: an even stream number", HeadersFrame(2, b"\x82", flags=["END_HEADERS"]), ErrorCode.PROTOCOL_ERROR),
    ("6.1: DATA on no stream", raw(0, 0, 0, b"x"), ErrorCode.PROTOCOL_ERROR),
    ("6.1: more padding than payload", raw(1, 0x8 | 0x4, 1, b"\x09abc"), ErrorCode.PROTOCOL_ERROR),
    ("6.1: padding without its length", raw(1, 0x8 | 0x4, 1, b""), ErrorCode.FRAME_SIZE_ERROR),
    ("6.2: HEADERS on no stream", raw(1, 4, 0, b"\x82"), ErrorCode.PROTOCOL_ERROR),
    ("6.2: HEADERS without the priority that it announces", raw(1, 0x20 | 0x4, 1, b"abc"), ErrorCode.FRAME_SIZE_ERROR),
    ("6.3: PRIORITY on no stream", raw(2, 0, 0, bytes(5)), ErrorCode.PROTOCOL_ERROR),
    ("6.4: RST_STREAM on no stream", raw(3, 0, 0, bytes(4)), ErrorCode.PROTOCOL_ERROR),
    ("6.4: RST_STREAM of three bytes", raw(3, 0, 1, bytes(3)), ErrorCode.FRAME_SIZE_ERROR),
    ("6.5: SETTINGS of five bytes", raw(4, 0, 0, bytes(5)), ErrorCode.FRAME_SIZE_ERROR),
    ("6.5: an ACK with settings", raw(4, 1, 0, bytes(6)), ErrorCode.FRAME_SIZE_ERROR),
    ("6.5: SETTINGS on a stream", raw(4, 0, 1, b""), ErrorCode.PROTOCOL_ERROR),
    ("6.5.2: ENABLE_PUSH of 2", SettingsFrame(0, {2: 2}), ErrorCode.PROTOCOL_ERROR),
    ("6.5.2: INITIAL_WINDOW_SIZE of 2^31", SettingsFrame(0, {4: 2**31}), ErrorCode.FLOW_CONTROL_ERROR),
    ("6.5.2: MAX_FRAME_SIZE of 16383", SettingsFrame(0, {5: 16383}), ErrorCode.PROTOCOL_ERROR),
    ("6.5.2: MAX_FRAME_SIZE of 2^24", SettingsFrame(0, {5: 2**24}), ErrorCode.PROTOCOL_ERROR),
    ("6.6: PUSH_PROMISE of a client", raw(5, 4, 1, b"\0\0\0\2\x82"), ErrorCode.PROTOCOL_ERROR),
    ("6.7: PING of seven bytes", raw(6, 0, 0, bytes(7)), ErrorCode.FRAME_SIZE_ERROR),
    ("6.7: PING on a stream", raw(6, 0, 1, bytes(8)), ErrorCode.PROTOCOL_ERROR),
    ("6.8: GOAWAY on a stream", raw(7, 0, 1, bytes(8)), ErrorCode.PROTOCOL_ERROR),
    ("6.8: GOAWAY of seven bytes", raw(7, 0, 0, bytes(7)), ErrorCode.FRAME_SIZE_ERROR),
    ("6.9: WINDOW_UPDATE of three bytes", raw(8, 0, 0, bytes(3)), ErrorCode.FRAME_SIZE_ERROR),
    ("6.9: WINDOW_UPDATE of nothing", raw(8, 0, 0, bytes(4)), ErrorCode.PROTOCOL_ERROR),
    ("6.9.1: a connection's window beyond 2^31-1", WindowUpdateFrame(0, 2**31 - 1), ErrorCode.FLOW_CONTROL_ERROR),
    ("4.3: a block that is none", raw(1, 4, 1, b"\xff\xff\xff\xff\xff\xff\xff"), ErrorCode.COMPRESSION_ERROR),
    ("4.3: an index beyond the tables", raw(1, 4, 1, b"\xfe"), ErrorCode.COMPRESSION_ERROR),
]


@pytest.mark.parametrize(("frame", "code"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
async def test_what_ends_the_connection(front: Front, frame: Any, code: ErrorCode) -> None:
    front.send(frame)
    assert front.gone() == code
    front.request(3)
    assert not front.policy.requests
    front.clock.advance(1)
    assert front.wire.closed


async def test_a_header_block_is_not_interrupted(front: Front) -> None:
    """Section 6.10."""
    front.send(HeadersFrame(1, front.block(*REQUEST), flags=["END_STREAM"]), DataFrame(1, b"x"))
    assert front.gone() == ErrorCode.PROTOCOL_ERROR


async def test_a_header_block_is_continued_on_its_own_stream(front: Front) -> None:
    front.send(HeadersFrame(1, front.block(*REQUEST), flags=["END_STREAM"]), continuation(3, b"", end=True))
    assert front.gone() == ErrorCode.PROTOCOL_ERROR


async def test_a_header_block_in_pieces(front: Front) -> None:
    block = front.block(*REQUEST)
    front.send(HeadersFrame(1, block[:2], flags=["END_STREAM"]), continuation(1, block[2:5]))
    front.send(continuation(1, block[5:], end=True))
    assert front.fields(1)[":status"] == "200"


async def test_stream_numbers_only_grow(front: Front) -> None:
    """Section 5.1.1."""
    front.request(5)
    front.request(3)
    assert front.gone() == ErrorCode.STREAM_CLOSED


async def test_unknown_frames_and_settings_are_ignored(front: Front) -> None:
    """Sections 4.1 and 6.5.2."""
    front.send(raw(0xEE, 0xFF, 7, b"what"), SettingsFrame(0, {0xABC: 1}))
    front.request(1)
    assert front.fields(1)[":status"] == "200"


async def test_padding_and_priority_are_taken_off(front: Front) -> None:
    block = front.block(*REQUEST)
    frame = HeadersFrame(1, block, pad_length=9, depends_on=0, stream_weight=5)
    frame.flags |= {"END_HEADERS", "PADDED", "PRIORITY"}
    data = DataFrame(1, b"abc", pad_length=4)
    data.flags |= {"PADDED", "END_STREAM"}
    front.policy.answer = None
    front.send(frame, data)
    assert (bytes(front.policy.sinks[0].taken), front.policy.sinks[0].last) == (b"abc", True)


async def test_settings_and_pings_are_answered(front: Front) -> None:
    """Sections 6.5.3 and 6.7."""
    front.send(PingFrame(0, b"12345678"))
    assert [frame.opaque_data for frame in front.of(PingFrame) if "ACK" in frame.flags] == [b"12345678"]
    assert sum("ACK" in frame.flags for frame in front.of(SettingsFrame)) == 1
    front.send(PingFrame(0, b"12345678", flags=["ACK"]))
    assert len(front.of(PingFrame)) == 1


async def test_what_we_say_of_ourselves(front: Front) -> None:
    settings = front.of(SettingsFrame)[0].settings
    assert settings == {3: MOST_STREAMS, 4: WINDOW, 6: 1 << 20}


# What ends one stream; the connection goes on


def pseudo(**others: str) -> list[tuple[str, str]]:
    fields = {"method": "GET", "scheme": "https", "authority": "a.test", "path": "/", **others}
    return [(f":{name}", value) for name, value in fields.items() if value != "-"]


MALFORMED = [
    ("8.2: upper case in a name", [*REQUEST, ("X-Upper", "1")]),
    ("8.2: a space in a name", [*REQUEST, ("x y", "1")]),
    ("8.2: an empty name", [*REQUEST, ("", "1")]),
    ("8.2: a colon in a name", [*REQUEST, ("x:y", "1")]),
    ("8.2.1: CR LF in a value", [*REQUEST, ("x", "1\r\nInjected: 1")]),
    ("8.2.1: LF in a value", [*REQUEST, ("x", "1\nInjected: 1")]),
    ("8.2.1: NUL in a value", [*REQUEST, ("x", "\0")]),
    ("8.3: CR LF in the path", pseudo(path="/ HTTP/1.1\r\nInjected: 1\r\n\r\n")),
    ("8.3: a space in the path", pseudo(path="/a HTTP/1.1")),
    ("8.3: CR LF in the authority", pseudo(authority="a.test\r\nInjected: 1")),
    ("8.3: CR LF in the method", pseudo(method="GET / HTTP/1.1\r\nInjected: 1\r\n\r\nGET")),
    ("8.3: a space in the method", pseudo(method="GET /")),
    ("8.3: a pseudo-header behind a field", [*REQUEST[:3], ("x", "1"), REQUEST[3]]),
    ("8.3: a pseudo-header twice", [*REQUEST, (":path", "/b")]),
    ("8.3: an unknown pseudo-header", [*REQUEST, (":what", "1")]),
    ("8.3: a response's pseudo-header", [*REQUEST, (":status", "200")]),
    ("8.3.1: no method", pseudo(method="-")),
    ("8.3.1: no scheme", pseudo(scheme="-")),
    ("8.3.1: another scheme", pseudo(scheme="ftp")),
    ("8.3.1: no path", pseudo(path="-")),
    ("8.3.1: an empty path", pseudo(path="")),
    ("8.3.1: a path without a slash", pseudo(path="a")),
    ("8.3.1: a path that names a host", pseudo(path="http://b.test/")),
    ("8.3.1: a path with a broken escape", pseudo(path="/%zz")),
    ("8.5: CONNECT with a path", pseudo(method="CONNECT")),
    ("8.5: CONNECT without an authority", [(":method", "CONNECT")]),
    ("RFC 8441: an extended CONNECT", pseudo(method="CONNECT", protocol="websocket")),
    ("8.1.1: a body that is declared and missing", [*REQUEST, ("content-length", "5")]),
    ("8.1.1: two lengths", [*REQUEST, ("content-length", "0"), ("content-length", "1")]),
    ("8.1.1: a length that is none", [*REQUEST, ("content-length", "0x0")]),
]


@pytest.mark.parametrize("fields", [row[1] for row in MALFORMED], ids=[row[0] for row in MALFORMED])
async def test_malformed_requests(front: Front, fields: list[tuple[str, str]]) -> None:
    front.request(1, base=fields)
    assert front.reset(1) == ErrorCode.PROTOCOL_ERROR
    assert not front.policy.requests
    front.request(3)
    assert front.fields(3)[":status"] == "200"


REFUSED = [
    (("connection", "close"), 'request header "Connection" is not valid in HTTP/2'),
    (("transfer-encoding", "chunked"), 'request header "Transfer-Encoding" is not valid in HTTP/2'),
    (("upgrade", "websocket"), 'request header "Upgrade" is not valid in HTTP/2'),
    (("te", "gzip"), 'request header "TE" may only be "trailers" in HTTP/2'),
]


@pytest.mark.parametrize(("field", "text"), REFUSED)
async def test_what_belongs_to_http1_is_refused(front: Front, field: tuple[str, str], text: str) -> None:
    front.request(1, field)
    assert [bytes(frame.data).decode() for frame in front.of(DataFrame, 1)] == [text + "\n"]
    assert not front.policy.requests


async def test_an_authority_that_no_host_header_may_have(front: Front) -> None:
    front.request(1, base=pseudo(authority="a.test/b"))
    assert front.fields(1)[":status"] == "400"


@pytest.mark.parametrize(("length", "pieces"), [("3", [b"abcd"]), ("3", [b"ab", b"cd"])])
async def test_more_body_than_declared(front: Front, length: str, pieces: list[bytes]) -> None:
    front.policy.answer = None
    front.request(1, ("content-length", length), end=False)
    front.send(*(DataFrame(1, piece) for piece in pieces))
    assert front.reset(1) == ErrorCode.PROTOCOL_ERROR
    assert len(front.policy.sinks[0].taken) <= 3
    assert len(front.policy.finished_ones) == 1


async def test_less_body_than_declared(front: Front) -> None:
    front.policy.answer = None
    front.request(1, ("content-length", "3"), end=False)
    front.send(DataFrame(1, b"ab", flags=["END_STREAM"]))
    assert front.fields(1)[":status"] == "502"
    assert front.policy.failures[0].text == "request declared a Content-Length of 3 but only wrote 2 bytes"


async def test_trailers_end_the_stream(front: Front) -> None:
    """Section 8.1."""
    front.policy.answer = None
    front.request(1, end=False)
    front.send(HeadersFrame(1, front.block(("x", "1")), flags=["END_HEADERS"]))
    assert front.reset(1) == ErrorCode.PROTOCOL_ERROR
    front.request(3, end=False)
    front.send(DataFrame(3, b"abc"), HeadersFrame(3, front.block(("x", "1")), flags=["END_HEADERS", "END_STREAM"]))
    assert (bytes(front.policy.sinks[1].taken), front.policy.sinks[1].last) == (b"abc", True)


async def test_frames_behind_the_end_of_a_request(front: Front) -> None:
    """Section 5.1, half-closed (remote)."""
    front.policy.answer = None
    front.request(1)
    front.send(DataFrame(1, b"x"))
    assert front.reset(1) == ErrorCode.STREAM_CLOSED
    front.request(3)
    front.send(HeadersFrame(3, front.block(("x", "1")), flags=["END_HEADERS", "END_STREAM"]))
    assert front.reset(3) == ErrorCode.STREAM_CLOSED


async def test_frames_on_a_closed_stream(front: Front) -> None:
    front.request(1)
    front.send(WindowUpdateFrame(1, 5), RstStreamFrame(1), PriorityFrame(1))
    assert front.gone() is None
    front.send(DataFrame(1, b"x"))
    assert front.reset(1) == ErrorCode.STREAM_CLOSED
    front.request(3)
    assert front.fields(3)[":status"] == "200"


async def test_frames_that_were_on_their_way_when_we_reset(front: Front) -> None:
    """They are no fault, and their blocks and bytes count."""
    front.request(1, ("X", "1"), end=False)
    front.send(DataFrame(1, b"x"), HeadersFrame(1, front.block(("new", "entry")), flags=["END_HEADERS", "END_STREAM"]))
    assert front.reset(1) == ErrorCode.PROTOCOL_ERROR
    front.request(3, ("new", "entry"))
    assert front.policy.requests[0].headers[b"New"] == (b"entry",)


@pytest.mark.parametrize("frame", [PriorityFrame(3, depends_on=3), raw(2, 0, 3, bytes(4)), WindowUpdateFrame(1, 2**31 - 1)])
async def test_faults_of_one_stream(front: Front, frame: Any) -> None:
    front.policy.answer = None
    front.request(1)
    front.send(frame)
    assert len(front.of(RstStreamFrame)) == 1
    assert front.gone() is None


async def test_streams_beyond_the_limit_are_refused(front: Front) -> None:
    front.policy.answer = None
    for number in range(MOST_STREAMS + 1):
        front.request(2 * number + 1)
    assert front.reset(2 * MOST_STREAMS + 1) == ErrorCode.REFUSED_STREAM
    assert len(front.policy.requests) == MOST_STREAMS
    front.send(RstStreamFrame(1, 8))
    front.request(2 * MOST_STREAMS + 3)
    assert len(front.policy.requests) == MOST_STREAMS + 1


# What could go on for ever


async def test_a_rapid_reset_is_stopped(front: Front) -> None:
    front.policy.answer = None
    for number in range(1, 4001, 2):
        front.request(number)
        front.send(RstStreamFrame(number, 8))
    assert front.gone() == ErrorCode.ENHANCE_YOUR_CALM
    assert len(front.policy.requests) <= 1001
    assert len(front.policy.finished_ones) == len(front.policy.requests)


async def test_resets_that_we_are_made_to_send_count(front: Front) -> None:
    front.policy.answer = None
    for number in range(1, 4001, 2):
        front.request(number)
        front.send(WindowUpdateFrame(number, 2**31 - 1))
    assert front.gone() == ErrorCode.ENHANCE_YOUR_CALM
    assert len(front.policy.requests) <= 1001


async def test_tens_of_thousands_of_fields_are_read_in_no_time(anyio_backend: Any) -> None:
    """Each is a byte on the wire. If each were put to the others one by one, this would take seconds."""
    front = Front()
    front.request(1, ("x", "y"))
    began = time.process_time()
    block = front.block(*REQUEST) + b"\xbe" * 60_000
    pieces = [block[at : at + 16000] for at in range(0, len(block), 16000)]
    front.send(HeadersFrame(3, pieces[0], flags=["END_STREAM"]), *(continuation(3, piece) for piece in pieces[1:-1]))
    front.send(continuation(3, pieces[-1], end=True))
    assert time.process_time() - began < 2
    assert front.fields(3)[":status"] == "431"
    assert len(front.front.decoder.known) <= 1


@pytest.mark.parametrize(
    "frame",
    [
        PingFrame(0, b"12345678"), SettingsFrame(0), PriorityFrame(9), DataFrame(1, b""), ExtensionFrame(99, 0, body=b""),
        WindowUpdateFrame(1, 1), WindowUpdateFrame(0, 1),
    ],
    ids=lambda frame: type(frame).__name__,
)  # fmt: skip
async def test_floods_are_stopped(front: Front, frame: Any) -> None:
    front.policy.answer = None
    front.request(1, end=False)
    data = frame.serialize() * 11_000
    for position in range(0, len(data), 1 << 16):
        front.send(data[position : position + (1 << 16)])
    assert front.gone() == ErrorCode.ENHANCE_YOUR_CALM


async def test_a_flood_of_continuations_is_stopped(front: Front) -> None:
    front.send(HeadersFrame(1, b"", flags=["END_STREAM"]))
    for _ in range(200):
        front.send(continuation(1, b""))
    assert front.gone() == ErrorCode.ENHANCE_YOUR_CALM


async def test_large_blocks_are_refused_and_larger_ones_end_the_connection(anyio_backend: Any) -> None:
    front = Front(Limits(request_head=4000))
    front.request(1, ("x", "y" * 5000))
    assert front.fields(1)[":status"] == "431"
    front.request(3, ("x", "y" * 10))
    assert front.fields(3)[":status"] == "200"
    block = front.block(*REQUEST, ("x", "\x01" * 80_000))
    pieces = [block[at : at + 16000] for at in range(0, len(block), 16000)]
    front.send(HeadersFrame(5, pieces[0]), *(continuation(5, piece) for piece in pieces[1:]))
    assert front.gone() == ErrorCode.ENHANCE_YOUR_CALM


async def test_a_bomb_of_table_entries_ends_the_connection(anyio_backend: Any) -> None:
    """One entry of four kilobytes that is referred to by single bytes."""
    front = Front(Limits(request_head=10_000))
    front.send(HeadersFrame(1, front.block(*REQUEST, ("x", "a" * 3900)), flags=["END_HEADERS", "END_STREAM"]))
    front.send(HeadersFrame(3, b"\xbe" * 16000, flags=["END_HEADERS", "END_STREAM"]))
    assert front.gone() == ErrorCode.ENHANCE_YOUR_CALM


async def test_a_client_that_never_opens_its_window(front: Front) -> None:
    """What waits for it is what was read from the backend at a time; then that is stopped."""
    front.send(SettingsFrame(0, {4: 0}))
    front.policy.answer = None
    front.request(1)
    head = ResponseHead()
    head.version, head.status, head.headers, head.length, head.keep_alive = b"HTTP/1.1", 200, Headers(), -1, True
    front.policy.sinks[0].exchange.responded(head, b"x" * 1000, ended=False)
    assert (front.fields(1)[":status"], front.of(DataFrame), front.policy.sinks[0].calls) == ("200", [], ["pause"])
    front.send(WindowUpdateFrame(1, 400))
    assert [len(frame.data) for frame in front.of(DataFrame)] == [400]
    front.send(WindowUpdateFrame(1, 400), WindowUpdateFrame(1, 400))
    assert [len(frame.data) for frame in front.of(DataFrame)] == [400, 400, 200]
    assert front.policy.sinks[0].calls == ["pause", "resume"]


async def test_more_data_than_the_window(front: Front) -> None:
    """Section 6.9.1. Nobody takes the body, so the window does not grow."""
    front.policy.answer = None
    front.request(1, end=False)
    stream = front.front.streams[1]
    stream.pause()
    for _ in range(WINDOW // 16384):
        front.send(DataFrame(1, bytes(16384)))
    assert not [frame for frame in front.of(WindowUpdateFrame) if frame.stream_id == 1]
    front.send(DataFrame(1, b"x"))
    assert front.reset(1) == ErrorCode.FLOW_CONTROL_ERROR


async def test_a_paused_stream_takes_from_the_windows_until_it_goes_on(front: Front) -> None:
    front.policy.answer = None
    front.request(1, end=False)
    stream = front.front.streams[1]
    stream.pause()
    for _ in range(WINDOW // 16384):
        front.send(DataFrame(1, bytes(16384)))
    stream.resume()
    grants = {frame.stream_id: frame.window_increment for frame in front.of(WindowUpdateFrame)}
    assert grants[1] == WINDOW
    assert grants[0] == WINDOW


async def test_a_smaller_initial_window_may_be_negative(front: Front) -> None:
    """Section 6.9.2."""
    front.policy.answer = None
    front.request(1)
    stream = front.front.streams[1]
    stream.send_data(bytes(1000), end=False)
    front.send(SettingsFrame(0, {4: 0}))
    assert stream.window == -1000
    stream.send_end(b"")
    assert "END_STREAM" in front.of(DataFrame, 1)[-1].flags


async def test_streams_get_their_turns(front: Front) -> None:
    """Nobody waits for another's whole body, when the window of the connection is what is short."""
    front.send(SettingsFrame(0, {4: 2**20}))
    front.policy.answer = None
    for number in (1, 3):
        front.request(number)
        front.front.streams[number].send_data(bytes(200_000), end=True)
    for _ in range(10):
        front.send(WindowUpdateFrame(0, 16384))
    sent = {number: sum(len(frame.data) for frame in front.of(DataFrame, number)) for number in (1, 3)}
    assert sent[3] >= 65536


# The end of a connection


async def test_draining_lets_streams_finish(front: Front) -> None:
    front.policy.answer = None
    front.request(1)
    front.front.drain()
    assert [(frame.last_stream_id, frame.error_code) for frame in front.of(GoAwayFrame)] == [(1, 0)]
    front.request(3)
    front.send(DataFrame(3, b"x"))
    assert len(front.policy.requests) == 1
    assert not front.wire.closed
    front.front.streams[1].send_end(b"")
    front.policy.sinks[0].exchange.finish()
    assert front.wire.closed


async def test_an_idle_connection_is_closed(front: Front) -> None:
    front.request(1)
    front.clock.advance(Limits().idle_timeout + 100)
    assert front.gone() == ErrorCode.NO_ERROR
    assert front.wire.closed


async def test_an_idle_connection_whose_client_takes_nothing_is_closed(front: Front) -> None:
    front.send(SettingsFrame(0, {4: 0}))
    front.request(1)
    front.clock.advance(Limits().idle_timeout + 100)
    assert front.gone() == ErrorCode.NO_ERROR
    assert not front.wire.closed
    front.clock.advance(Limits().idle_timeout + 100)
    assert front.wire.closed


async def test_a_client_that_goes_gets_its_responses(front: Front) -> None:
    front.policy.answer = None
    front.request(1)
    front.send(GoAwayFrame(0))
    assert not front.wire.closed
    front.front.streams[1].send_end(b"")
    front.policy.sinks[0].exchange.finish()
    assert front.wire.closed


async def test_a_lost_connection_cancels_everything(front: Front) -> None:
    front.policy.answer = None
    front.request(1)
    front.request(3, end=False)
    front.front.connection_lost(None)
    assert [exchange.status for exchange in front.policy.finished_ones] == [499, 499]
    assert not front.front.streams


async def test_a_client_that_does_not_read_is_not_read_from(front: Front) -> None:
    front.front.pause_writing()
    assert not front.wire.reading
    front.front.resume_writing()
    assert front.wire.reading

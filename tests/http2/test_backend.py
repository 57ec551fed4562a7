"""A backend's connection, driven with raw frames: what becomes of its faults, of its GOAWAY, and of idle connections."""

import ssl
from typing import Any

import pytest
from hyperframe.frame import (
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PushPromiseFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from cfroute.http2.backend import Http2Backend
from cfroute.http2.destination import Http2Destination
from cfroute.http2.frames import PREFACE, ErrorCode
from cfroute.http2.stream import WINDOW
from cfroute.proxy.backend import Destination
from cfroute.proxy.exchange import Exchange
from cfroute.proxy.failure import Failure, Kind

from .plumbing import Decide, Front, Wire


class Route(Decide):
    """Sends everything to one destination."""

    def __init__(self, destination: Destination) -> None:
        super().__init__()
        self.answer = None
        self._destination = destination

    def destination(self, exchange: Exchange) -> Destination:
        return self._destination


class Behind(Front):
    """A client that speaks HTTP/2, and a connection to a backend that does."""

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.route = Http2Destination(Destination("127.0.0.1", 1, **options), ssl.create_default_context())
        self.server.policy = self.policy = Route(self.route)
        self.backend, self.there = self.connect()

    def connect(self) -> tuple[Http2Backend, Wire]:
        """One more connection to the backend."""
        backend, wire = Http2Backend(self.route), Wire()
        backend.connection_made(wire)  # type: ignore[arg-type]
        self.route.add(backend)
        backend.data_received(SettingsFrame(0).serialize())
        return backend, wire

    def reply(self, *frames: Frame) -> None:
        self.backend.data_received(b"".join(frame.serialize() for frame in frames))

    def head(self, stream_id: int, *fields: tuple[str, str], end: bool = False) -> HeadersFrame:
        block = self.replies.encode([(":status", "200"), *fields] if not fields or fields[0][0] != ":status" else fields)
        return HeadersFrame(stream_id, block, flags=["END_HEADERS", "END_STREAM"] if end else ["END_HEADERS"])

    @property
    def replies(self) -> Any:
        from hpack import Encoder

        self.__dict__.setdefault("_replies", Encoder())
        return self.__dict__["_replies"]

    def sent(self, wire: Wire | None = None) -> list[Frame]:
        """What the backend has got."""
        self.backend.write_out()
        data = bytes((wire or self.there).written)
        assert data.startswith(PREFACE)
        frames, data = [], data[len(PREFACE) :]
        while data:
            frame, length = Frame.parse_frame_header(memoryview(data[:9]))
            frame.parse_body(memoryview(data[9 : 9 + length]))
            frames.append(frame)
            data = data[9 + length :]
        return frames

    @property
    def failures(self) -> list[Failure]:
        return self.policy.failures


@pytest.fixture
async def behind(anyio_backend: Any) -> Behind:
    return Behind()


async def test_a_response_in_one_read_is_one_write(behind: Behind) -> None:
    behind.request(1)
    behind.reply(behind.head(1, ("x", "1")), DataFrame(1, b"hello", flags=["END_STREAM"]))
    assert behind.fields(1)["x"] == "1"
    assert [bytes(frame.data) for frame in behind.of(DataFrame)] == [b"hello"]
    assert not behind.backend.streams


async def test_several_requests_on_one_connection(behind: Behind) -> None:
    for number in (1, 3, 5):
        behind.request(number)
    assert [frame.stream_id for frame in behind.sent() if isinstance(frame, HeadersFrame)] == [1, 3, 5]
    behind.reply(*(behind.head(number, end=True) for number in (5, 1, 3)))
    assert len(behind.policy.finished_ones) == 3


FAULTS = [
    ("no status", [("x", "1")]),
    ("a status of two digits", [(":status", "20")]),
    ("a status that is no number", [(":status", "abc")]),
    ("upper case", [(":status", "200"), ("X", "1")]),
    ("CR LF in a value", [(":status", "200"), ("x", "1\r\ny: 2")]),
    ("a pseudo-header of requests", [(":status", "200"), (":path", "/")]),
    ("101", [(":status", "101")]),
    ("two lengths", [(":status", "200"), ("content-length", "1"), ("content-length", "2")]),
]


@pytest.mark.parametrize("fields", [row[1] for row in FAULTS], ids=[row[0] for row in FAULTS])
async def test_malformed_responses(behind: Behind, fields: list[tuple[str, str]]) -> None:
    behind.request(1)
    block = behind.replies.encode(fields)
    behind.reply(HeadersFrame(1, block, flags=["END_HEADERS"]))
    assert behind.fields(1)[":status"] == "502"
    assert "PROTOCOL_ERROR; malformed response from server" in behind.failures[0].text
    assert [frame.error_code for frame in behind.sent() if isinstance(frame, RstStreamFrame)] == [ErrorCode.PROTOCOL_ERROR]


@pytest.mark.parametrize("pieces", [[b"abcd"], [b"ab"]])
async def test_a_body_that_is_not_as_long_as_declared(behind: Behind, pieces: list[bytes]) -> None:
    behind.request(1)
    behind.reply(behind.head(1, ("content-length", "3")))
    behind.reply(*(DataFrame(1, piece, flags=["END_STREAM"]) for piece in pieces))
    assert behind.reset(1) == ErrorCode.INTERNAL_ERROR


async def test_data_without_a_head(behind: Behind) -> None:
    behind.request(1)
    behind.reply(DataFrame(1, b"x"))
    assert behind.fields(1)[":status"] == "502"


async def test_a_push_ends_the_connection(behind: Behind) -> None:
    behind.request(1)
    behind.reply(PushPromiseFrame(1, 2, b"\x82", flags=["END_HEADERS"]))
    assert behind.fields(1)[":status"] == "502"
    assert behind.there.closed
    assert behind.route.connections == []


async def test_a_lost_connection(behind: Behind) -> None:
    behind.request(1)
    behind.request(3)
    behind.reply(behind.head(3), DataFrame(3, b"x"))
    behind.backend.connection_lost(None)
    assert behind.fields(1)[":status"] == "502"
    assert (behind.failures[0].kind, behind.failures[0].text) == (Kind.EOF, "EOF")
    assert behind.reset(3) == ErrorCode.INTERNAL_ERROR


async def test_goaway_sends_what_was_not_looked_at_elsewhere(behind: Behind) -> None:
    behind.request(1)
    behind.request(3)
    other, there = behind.connect()
    behind.reply(GoAwayFrame(0, last_stream_id=1))
    assert behind.route.connections == [other]
    other.write_out()
    assert [frame.stream_id for frame in behind.sent(there) if isinstance(frame, HeadersFrame)] == [1]
    behind.reply(behind.head(1, end=True))
    assert behind.there.closed
    assert not behind.failures


async def test_a_body_that_has_begun_goes_nowhere_else(behind: Behind) -> None:
    behind.request(1)
    behind.request(3, end=False)
    behind.send(DataFrame(3, b"abc"))
    behind.connect()
    behind.reply(GoAwayFrame(0, last_stream_id=1))
    assert behind.fields(3)[":status"] == "502"


async def test_the_first_stream_of_a_connection_is_not_repeated_silently(behind: Behind) -> None:
    behind.request(1)
    behind.reply(RstStreamFrame(1, ErrorCode.REFUSED_STREAM))
    assert behind.failures[0].text == "stream error: stream ID 1; REFUSED_STREAM; received from peer"


async def test_as_many_streams_as_the_backend_takes(behind: Behind) -> None:
    behind.reply(SettingsFrame(0, {3: 1}))
    behind.request(1)
    assert not behind.backend.has_room
    assert behind.route.take() is None
    behind.reply(behind.head(1, end=True))
    assert behind.backend.has_room


async def test_without_keep_alive_a_connection_serves_one_request(anyio_backend: Any) -> None:
    behind = Behind(max_idle=0)
    behind.request(1)
    assert behind.route.take() is None
    behind.reply(behind.head(1, end=True))
    assert behind.there.closed


async def test_idle_connections_end(behind: Behind) -> None:
    behind.request(1)
    behind.route.expire(1000.0)
    behind.route.expire(2000.0)
    assert not behind.there.closed
    behind.reply(behind.head(1, end=True))
    behind.route.expire(3000.0)
    behind.route.expire(3080.0)
    assert not behind.there.closed
    behind.route.expire(3091.0)
    assert behind.there.closed
    assert [frame.error_code for frame in behind.sent() if isinstance(frame, GoAwayFrame)] == [ErrorCode.NO_ERROR]


async def test_a_response_that_nobody_takes_is_not_granted_more(behind: Behind) -> None:
    behind.send(SettingsFrame(0, {4: 0}))
    behind.request(1)
    behind.reply(behind.head(1), DataFrame(1, b"x"))
    for _ in range(WINDOW // 16384 - 1):
        behind.reply(DataFrame(1, bytes(16384)))
    grants = [frame for frame in behind.sent() if isinstance(frame, WindowUpdateFrame)]
    assert len(grants) == 1  # of the connection, at its beginning
    behind.send(WindowUpdateFrame(1, WINDOW), WindowUpdateFrame(0, WINDOW))
    grants = [frame for frame in behind.sent() if isinstance(frame, WindowUpdateFrame)][1:]
    assert {frame.stream_id for frame in grants} == {1} or {frame.stream_id for frame in grants} == {0, 1}


async def test_an_upload_waits_for_the_window(behind: Behind) -> None:
    behind.reply(SettingsFrame(0, {4: 10}))
    behind.request(1, end=False)
    behind.send(DataFrame(1, bytes(15)))
    stream = behind.front.streams[1]
    assert (stream.paused, sum(len(frame.data) for frame in behind.sent() if isinstance(frame, DataFrame))) == (True, 10)
    behind.reply(WindowUpdateFrame(1, 100))
    assert (stream.paused, sum(len(frame.data) for frame in behind.sent() if isinstance(frame, DataFrame))) == (False, 15)
    behind.send(DataFrame(1, b"", flags=["END_STREAM"]))
    assert "END_STREAM" in [frame for frame in behind.sent() if isinstance(frame, DataFrame)][-1].flags


async def test_a_client_that_goes_is_told_to_the_backend(behind: Behind) -> None:
    behind.request(1)
    behind.send(RstStreamFrame(1, ErrorCode.CANCEL))
    assert [frame.error_code for frame in behind.sent() if isinstance(frame, RstStreamFrame)] == [ErrorCode.CANCEL]
    assert behind.backend.has_room
    behind.reply(behind.head(1), DataFrame(1, b"late", flags=["END_STREAM"]))
    assert behind.backend.has_room
